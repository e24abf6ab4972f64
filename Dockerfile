FROM golang:1.27 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /doubletap . && mkdir /pb_data

FROM gcr.io/distroless/static:nonroot
COPY --from=build /doubletap /doubletap
COPY --from=build --chown=nonroot:nonroot /pb_data /pb_data
ENV DOUBLETAP_DIR=/pb_data DOUBLETAP_HTTP=0.0.0.0:8090
VOLUME /pb_data
EXPOSE 8090
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=60s CMD ["/doubletap", "healthcheck"]
ENTRYPOINT ["/doubletap"]
CMD ["serve"]
