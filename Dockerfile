# Builds the manager, and with --target meter the metering sidecar: a static binary each, in an image
# with nothing else in it but the certificates of public authorities.
FROM --platform=$BUILDPLATFORM golang:1.26 AS builder
ARG TARGETOS
ARG TARGETARCH

WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download

COPY api/ api/
COPY cmd/ cmd/
COPY internal/ internal/
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -trimpath -ldflags="-s -w -buildid=" -o / ./cmd/manager ./cmd/meter

FROM gcr.io/distroless/static:nonroot AS meter
COPY --from=builder /meter /meter
USER 65532:65532
ENTRYPOINT ["/meter"]

FROM gcr.io/distroless/static:nonroot
COPY --from=builder /manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
