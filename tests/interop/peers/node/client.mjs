// Peer: npm openid-client, unmodified: discovery, CIBA with its own polling, and code + PKCE.
import assert from "node:assert/strict";
import * as oidc from "openid-client";

const ready = JSON.parse(process.env.READY);
const config = await oidc.discovery(
  new URL(ready.issuer), ready.client_id, undefined, oidc.ClientSecretPost(ready.client_secret));

async function decide(message, decision) {
  const waiting = await (await fetch(`${ready.phone}/notifications`)).json();
  const { id } = waiting.find((item) => item.binding_message === message);
  const answer = await fetch(`${ready.phone}/notifications/${id}`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ decision }) });
  assert.equal(answer.status, 204);
}

function ask(message) {
  const hint = { format: "iss_sub", iss: ready.issuer, sub: ready.user_id };
  return oidc.initiateBackchannelAuthentication(config, {
    login_hint: JSON.stringify(hint), scope: "openid create:transfer",
    audience: ready.audience, binding_message: message });
}

const tests = {
  async approved() {
    const started = await ask("node approves");
    const polling = oidc.pollBackchannelAuthenticationGrant(config, started);
    await new Promise((done) => setTimeout(done, 1500));
    await decide("node approves", "approve");
    const tokens = await polling;
    assert.equal(tokens.scope, "openid create:transfer");
    assert.equal(tokens.claims().sub, ready.user_id);
  },
  async denied() {
    const started = await ask("node denies");
    const polling = oidc.pollBackchannelAuthenticationGrant(config, started);
    await decide("node denies", "deny");
    await assert.rejects(polling, { error: "access_denied" });
  },
  async refused() {
    await assert.rejects(
      oidc.initiateBackchannelAuthentication(config, {
        login_hint: JSON.stringify({ format: "iss_sub", iss: ready.issuer, sub: "auth0|x" }),
        scope: "openid", binding_message: "x" }),
      { error: "unknown_user_id" });
  },
  async code() {
    const verifier = oidc.randomPKCECodeVerifier(), state = oidc.randomState();
    const nonce = oidc.randomNonce(), callback = "http://127.0.0.1:5555/callback";
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: callback, scope: "openid profile email read:accounts",
      audience: ready.audience.replace(/\/transfers$/, ""), state, nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256" });
    const begun = await fetch(url, { redirect: "manual" });
    assert.equal(begun.status, 302);
    const form = new URL(begun.headers.get("location"), url);
    const cookie = begun.headers.get("set-cookie").split(";")[0];
    const back = await fetch(form, {
      method: "POST", redirect: "manual", headers: { cookie },
      body: new URLSearchParams({ username: ready.user_email, password: ready.user_password }) });
    assert.equal(back.status, 302);
    const tokens = await oidc.authorizationCodeGrant(
      config, new URL(back.headers.get("location")),
      { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce });
    const user = await oidc.fetchUserInfo(config, tokens.access_token, ready.user_id);
    assert.equal(user.email, ready.user_email);
  },
  async machine() {
    const manager = await oidc.discovery(
      new URL(ready.issuer), ready.management_client_id, undefined,
      oidc.ClientSecretBasic(ready.management_client_secret));
    const tokens = await oidc.clientCredentialsGrant(
      manager, { audience: `${ready.issuer}api/v2/` });
    assert.equal(tokens.token_type, "bearer");
  },
};

const what = process.argv[2];
await tests[what]();
console.log(JSON.stringify({ ok: what }));
