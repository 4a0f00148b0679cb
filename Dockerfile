# dsync in a container: docker build -t dsync . && docker run --network host -v ~/folder:/folder dsync
# See docs/services.md.
FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:22-slim
WORKDIR /app
COPY --from=build /app/package.json /app/.dsyncignore.example ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist/app ./dist/app
# Owned by the user that runs, whoever that is: what dsync remembers of folders outside of them.
RUN mkdir -p /state /folder && chown node:node /state /folder
ENV XDG_STATE_HOME=/state NODE_ENV=production
VOLUME ["/state", "/folder"]
EXPOSE 9000/tcp 5353/udp
USER node
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/dist/app/main.js"]
CMD ["-d", "/folder"]
