// Runs every scenario twice, directly against an upstream and through the meter, and prints what the
// SDKs saw: {scenario: [direct, via]}. The addresses are in the environment.
import OpenAI, { AzureOpenAI } from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { createHash } from 'node:crypto';

const env = JSON.parse(process.env.ADDRESSES);
const messages = [{ role: 'user', content: 'hi' }];
const weather = { type: 'object', properties: { location: { type: 'string' } } };
const functions = [{ type: 'function', function: { name: 'get_weather', parameters: weather } }];
const gpt = { model: 'gpt-4.1', messages };
const longContent = 'a"é\n'.repeat(2 * 1024 * 1024);
const sha256 = createHash('sha256').update(longContent).digest('hex');
const flash = { model: 'gemini-2.5-flash', contents: 'hi' };
const geminiTools = { config: { tools: [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema: weather }] }] } };
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
const noisy = ['date', 'content-encoding', 'content-length', 'connection', 'keep-alive', 'transfer-encoding'];
// The answer and its headers, but for those of the connection and of the compression: the meter takes
// it off, since nothing is gained by it within a pod.
const withHeaders = async (promise) => {
  const { data, response } = await promise.withResponse();
  const headers = Object.fromEntries(response.headers);
  for (const name of noisy) delete headers[name];
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
    const answer = await c.chat.completions.create({ ...gpt, messages: [{ role: 'user', content: longContent }] });
    return { answer, sha256 };
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
  tools: (c) => c.messages.create({ ...claude, tools: [{ name: 'get_weather', input_schema: weather }] }),
  toolsStream: (c) => c.messages.stream({ ...claude, tools: [{ name: 'get_weather', input_schema: weather }] }).finalMessage(),
  cancelled: async (c) => {
    for await (const event of await c.messages.create({ ...claude, stream: true })) return event;
  },
  longPrompt: async (c) => ({ answer: await c.messages.create({ ...claude, messages: [{ role: 'user', content: longContent }] }), sha256 }),
  parallel: (c) => Promise.all(Array.from({ length: 200 }, (_, i) => i % 2
    ? c.messages.create(claude)
    : c.messages.create({ ...claude, stream: true }).then(all))),
};

// What an answer of the Gemini SDK has, but for the headers that withHeaders leaves out too.
const plainly = (answer) => {
  const seen = JSON.parse(JSON.stringify(answer));
  for (const name of noisy) delete seen.sdkHttpResponse?.headers?.[name];
  return seen;
};
const gemini = {
  plain: async (c) => plainly(await c.models.generateContent(flash)),
  stream: async (c) => (await all(await c.models.generateContentStream(flash))).map(plainly),
  tools: async (c) => {
    const answer = await c.models.generateContent({ ...flash, ...geminiTools });
    return { calls: answer.functionCalls, ...plainly(answer) };
  },
  toolsStream: async (c) => (await all(await c.models.generateContentStream({ ...flash, ...geminiTools }))).map(plainly),
  chat: async (c) => {
    const chat = c.chats.create({ model: flash.model });
    const answers = [plainly(await chat.sendMessage({ message: 'hi' })), plainly(await chat.sendMessage({ message: 'more' }))];
    return { answers, history: chat.getHistory() };
  },
  embeddings: async (c) => plainly(await c.models.embedContent({ model: 'gemini-embedding-001', contents: ['hi', 'there'] })),
  countTokens: async (c) => plainly(await c.models.countTokens(flash)),
  longPrompt: async (c) => ({ answer: plainly(await c.models.generateContent({ ...flash, contents: longContent })), sha256 }),
  cancelled: async (c) => {
    const controller = new AbortController();
    const stream = await c.models.generateContentStream({ ...flash, config: { abortSignal: controller.signal } });
    const { value } = await stream.next();
    controller.abort();
    return plainly(value);
  },
  parallel: (c) => Promise.all(Array.from({ length: 200 }, (_, i) => i % 2
    ? c.models.generateContent(flash).then(plainly)
    : c.models.generateContentStream(flash).then(all).then((events) => events.map(plainly)))),
  unknownMethod: (c) => failure(c.models.get({ model: 'nobody-knows' })),
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

// The SDKs find the address as in a pod: by their own variables.
const by = (variable, make) => (address) => {
  process.env[variable] = address;
  try {
    return make();
  } finally {
    delete process.env[variable];
  }
};
const newOpenAI = by('OPENAI_BASE_URL', () => new OpenAI({ apiKey: 'sk-SECRET' }));
const newAnthropic = by('ANTHROPIC_BASE_URL', () => new Anthropic({ apiKey: 'sk-SECRET' }));
const newGemini = by('GOOGLE_GEMINI_BASE_URL', () => new GoogleGenAI({ apiKey: 'SECRET', httpOptions: { retryOptions: { attempts: 2 } } }));
const newAzure = by('AZURE_OPENAI_ENDPOINT', () => new AzureOpenAI({ apiKey: 'SECRET', apiVersion: '2024-10-21', deployment: 'gpt-4o' }));
for (const [name, scenario] of Object.entries(openai)) await both(`openai ${name}`, newOpenAI, env.openai, scenario);
for (const [name, scenario] of Object.entries(anthropic)) await both(`anthropic ${name}`, newAnthropic, env.anthropic, scenario);
for (const [name, scenario] of Object.entries(gemini)) await both(`gemini ${name}`, newGemini, env.gemini, scenario);
await both('azure plain', newAzure, env.azure, (c) => c.chat.completions.create({ messages }));
await both('openai busy', newOpenAI, env.busyOpenAI, openai.plain);
await both('anthropic busy', newAnthropic, env.busyAnthropic, anthropic.plain);
await both('gemini busy', newGemini, env.busyGemini, gemini.plain);
// The breaker is open here: both addresses lead to the meter.
await both('openai refused', newOpenAI, env.refusedOpenAI, (c) => failure(c.chat.completions.create(gpt)));
await both('openai refused with a long prompt', newOpenAI, env.refusedOpenAI,
  (c) => failure(c.chat.completions.create({ ...gpt, messages: [{ role: 'user', content: longContent }] })));
await both('anthropic refused', newAnthropic, env.refusedAnthropic, (c) => failure(c.messages.create(claude)));
await both('gemini refused', newGemini, env.refusedGemini, (c) => failure(c.models.generateContent(flash)));
console.log(JSON.stringify(results));
