# Andrea in one image: Node 24, built WASM and dashboard, embedded speech. The database is another container.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && mkdir /data && chown node:node /data
COPY --from=build /app/build build
COPY --from=build /app/dashboard/dist dashboard/dist
COPY server server
COPY workers workers
COPY dsp dsp
COPY migrations migrations
COPY NOTICE LICENSE ./
USER node
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD node -e "fetch('http://127.0.0.1:8000/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
# A small young generation: short pauses of the garbage collector (docs/performance.md).
CMD ["node", "--use-largepages=silent", "--max-semi-space-size=8", "--heap-growing-percent=75", "--v8-pool-size=1", "server/main.ts"]
