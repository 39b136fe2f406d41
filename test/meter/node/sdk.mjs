// Runs every scenario twice, directly against an upstream and through the meter, and prints what the
// SDKs saw: {scenario: [direct, via]}. The addresses are in the environment.
import OpenAI, { AzureOpenAI } from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { createHash } from 'node:crypto';

const env = JSON.parse(process.env.ADDRESSES);
const messages = [{ role: 'user', content: 'hi' }];
const weather = { type: 'object', properties: { location: { type: 'string' } } };
const functions = [{ type: 'function', function: { name: 'get_weather', parameters: weather } }];
const gpt = { model: 'gpt-4.1', messages };
const claude = { model: 'claude-sonnet-4-5', max_tokens: 99, messages };

const all = async (stream) => {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
};
const failure = async (promise) => {
  try {
    return { unexpected: await promise };
  } catch (error) {
    return { class: error.constructor.name, status: error.status, message: error.message, body: error.error };
  }
};
// The answer and its headers, but for those of the connection and of the compression: the meter takes
// it off, since nothing is gained by it within a pod.
const withHeaders = async (promise) => {
  const { data, response } = await promise.withResponse();
  const headers = Object.fromEntries(response.headers);
  for (const name of ['date', 'content-encoding', 'content-length', 'connection', 'keep-alive', 'transfer-encoding']) delete headers[name];
  return { data, status: response.status, headers };
};

const openai = {
  plain: (c) => withHeaders(c.chat.completions.create(gpt)),
  stream: async (c) => all(await c.chat.completions.create({ ...gpt, stream: true })),
  streamWithUsage: async (c) => all(await c.chat.completions.create({ ...gpt, stream: true, stream_options: { include_usage: true } })),
  tools: (c) => c.chat.completions.create({ ...gpt, tools: functions }),
  toolsStream: (c) => c.chat.completions.stream({ ...gpt, tools: functions }).finalChatCompletion(),
  responses: (c) => c.responses.create({ model: 'gpt-4.1', input: 'hi' }),
  responsesStream: async (c) => all(await c.responses.create({ model: 'gpt-4.1', input: 'hi', stream: true })),
  embeddings: (c) => c.embeddings.create({ model: 'text-embedding-3-small', input: 'hi' }),
  models: async (c) => (await c.models.list()).data,
  notFound: (c) => failure(c.models.retrieve('nobody/knows')),
  cancelled: async (c) => {
    const stream = await c.chat.completions.create({ ...gpt, stream: true });
    const seen = [];
    for await (const event of stream) {
      seen.push(event);
      if (seen.length === 2) break;
    }
    return seen;
  },
  longPrompt: async (c) => {
    const content = 'a"é\n'.repeat(2 * 1024 * 1024);
    const answer = await c.chat.completions.create({ ...gpt, messages: [{ role: 'user', content }] });
    return { answer, sha256: createHash('sha256').update(content).digest('hex') };
  },
  parallel: async (c) => {
    const calls = Array.from({ length: 200 }, (_, i) => i % 2
      ? c.chat.completions.create(gpt)
      : c.chat.completions.create({ ...gpt, stream: true }).then(all));
    return Promise.all(calls);
  },
};

const anthropic = {
  plain: (c) => withHeaders(c.messages.create(claude)),
  stream: async (c) => all(await c.messages.create({ ...claude, stream: true })),
  toolsStream: (c) => c.messages.stream({ ...claude, tools: [{ name: 'get_weather', input_schema: weather }] }).finalMessage(),
};

const results = {};
const both = async (name, make, addresses, scenario) => {
  results[name] = [];
  for (const address of addresses) {
    const client = make(address);
    const seen = await scenario(client);
    results[name].push(seen?._request_id ? { ...seen, _request_id: seen._request_id } : seen);
  }
};

const newOpenAI = (baseURL) => new OpenAI({ baseURL, apiKey: 'sk-SECRET' });
const newAnthropic = (baseURL) => new Anthropic({ baseURL, apiKey: 'sk-SECRET' });
for (const [name, scenario] of Object.entries(openai)) await both(`openai ${name}`, newOpenAI, env.openai, scenario);
for (const [name, scenario] of Object.entries(anthropic)) await both(`anthropic ${name}`, newAnthropic, env.anthropic, scenario);
await both('azure plain', (endpoint) => new AzureOpenAI({ endpoint, apiKey: 'SECRET', apiVersion: '2024-10-21', deployment: 'gpt-4o' }),
  env.azure, (c) => c.chat.completions.create({ messages }));
await both('openai busy', newOpenAI, env.busy, openai.plain);
// The breaker is open here: both addresses lead to the meter.
await both('openai refused', newOpenAI, env.refusedOpenAI, (c) => failure(c.chat.completions.create(gpt)));
await both('anthropic refused', newAnthropic, env.refusedAnthropic, (c) => failure(c.messages.create(claude)));
console.log(JSON.stringify(results));
