// Peer: npm oidc-provider with CIBA on. A second port plays the phone: POST /approve, /deny.
// Its own memory forgets all but the last thousand entries; this one keeps them (see bench/).
import http from "node:http";
import { Provider } from "oidc-provider";

const kept = new Map();
class Memory {
  constructor(model) { this.model = model; }
  key(id) { return `${this.model}:${id}`; }
  async upsert(id, payload) { kept.set(this.key(id), payload); }
  async find(id) { return kept.get(this.key(id)); }
  async destroy(id) { kept.delete(this.key(id)); }
  async consume(id) { kept.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
  async revokeByGrantId(grantId) {
    for (const [key, payload] of kept) if (payload.grantId === grantId) kept.delete(key);
  }
}

const waiting = [];
const PORT = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${PORT}`;
const provider = new Provider(issuer, {
  adapter: Memory,
  clients: [{
    client_id: "bank", client_secret: "a-secret-of-the-interop-tests", redirect_uris: [],
    response_types: [], grant_types: ["urn:openid:params:grant-type:ciba"],
    token_endpoint_auth_method: "client_secret_post",
    backchannel_token_delivery_mode: "poll",
  }],
  scopes: ["openid", "offline_access"],
  features: {
    devInteractions: { enabled: false },
    ciba: {
      enabled: true, deliveryModes: ["poll"],
      processLoginHint: async (ctx, hint) => JSON.parse(hint).sub,
      verifyUserCode: async () => {},
      validateBindingMessage: async () => {},
      validateRequestContext: async () => {},
      triggerAuthenticationDevice: async (ctx, request) => { waiting.push(request); },
    },
  },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});

async function settle(approve) {
  const request = waiting.shift();
  if (!approve) {
    const denied = new (await import("oidc-provider")).errors.AccessDenied("no, said the customer");
    return provider.backchannelResult(request, denied);
  }
  const grant = new provider.Grant({ accountId: request.accountId, clientId: request.clientId });
  grant.addOIDCScope("openid");
  await grant.save();
  return provider.backchannelResult(request, grant, { acr: "push", amr: ["phone"] });
}

const phone = http.createServer(async (request, response) => {
  try {
    await settle(request.url === "/approve");
    response.writeHead(204).end();
  } catch (failure) {
    response.writeHead(500).end(String(failure?.stack ?? failure));
  }
});
provider.listen(PORT, "127.0.0.1", () => {
  phone.listen(0, "127.0.0.1", () => {
    console.log(JSON.stringify({ issuer, phone: `http://127.0.0.1:${phone.address().port}` }));
  });
});
