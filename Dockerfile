# Builds the manager, and with --target meter the metering sidecar: a static binary each, in an image
# with nothing else in it but the certificates of public authorities.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS builder
ARG TARGETOS
ARG TARGETARCH
ARG VERSION

WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download

COPY api/ api/
COPY cmd/ cmd/
COPY internal/ internal/
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -trimpath -o / \
    -ldflags="-s -w -buildid= -X github.com/ecotracker-dev/ecotracker-operator/internal/version.stamped=${VERSION}" \
    ./cmd/manager ./cmd/meter

FROM scratch AS meter
COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=builder /meter /meter
USER 65532:65532
ENTRYPOINT ["/meter"]

FROM scratch
COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=builder /manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
