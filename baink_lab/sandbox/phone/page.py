"""The phone's web page: each notification with what it asks, the time left, and two buttons."""

from __future__ import annotations

import base64
import hashlib

HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Phone: the bAInk</title>
<style>
  :root { color-scheme: light dark; font: 1rem/1.45 system-ui, sans-serif }
  body { margin: 0; padding: 1rem; display: grid; justify-content: center }
  main { width: min(24rem, 92vw) }
  header { display: flex; justify-content: space-between; align-items: baseline }
  h1 { font-size: 1.1rem; margin: 0 }
  article { border: 1px solid; border-radius: 1rem; padding: 1rem; margin: 1rem 0 }
  article h2 { font-size: 1rem; margin: 0 0 .5rem }
  .message { font-size: 1.35rem; font-weight: 600; margin: .5rem 0; overflow-wrap: anywhere }
  dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem .8rem; margin: .5rem 0;
       font-size: .9rem }
  dt { opacity: .8 } dd { margin: 0; overflow-wrap: anywhere }
  progress { width: 100% }
  .buttons { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; margin-top: .8rem }
  button { font: inherit; padding: .8rem; border-radius: .7rem; border: 2px solid; cursor: pointer }
  .approve { background: #14722f; border-color: #14722f; color: #fff }
  .deny { background: #b3261e; border-color: #b3261e; color: #fff }
  button:disabled { opacity: .5; cursor: default }
  :focus-visible { outline: 3px solid #e0a000; outline-offset: 2px }
</style>
</head>
<body>
<main>
  <header><h1>Your phone</h1><small id="link">connecting</small></header>
  <p id="none" hidden>Nothing waits for you. A request from the bAInk shows up here by itself.</p>
  <section id="list" aria-label="Requests that wait for your answer"></section>
  <p id="told" role="status" aria-live="polite"></p>
</main>
<template id="one">
  <article>
    <h2></h2>
    <p class="message"></p>
    <dl></dl>
    <progress max="1" value="1" aria-label="Time left"></progress>
    <small class="left"></small>
    <div class="buttons">
      <button type="button" class="deny">Deny</button>
      <button type="button" class="approve">Approve</button>
    </div>
  </article>
</template>
<script>
"use strict";
const list = document.getElementById("list"), told = document.getElementById("told");
const link = document.getElementById("link"), none = document.getElementById("none");
const nothing = none.textContent;
const shown = new Map();
let fresh = null;  // the request that is being told as new
let ahead = 0;  // of the sandbox's clock before this machine's, in milliseconds

function tell(text, id = null) {
  told.textContent = text;
  fresh = id;
}

function fact(card, name, value) {
  const dt = document.createElement("dt"), dd = document.createElement("dd");
  dt.textContent = name; dd.textContent = value;
  card.querySelector("dl").append(dt, dd);
}

function detailFacts(card, details) {
  for (const one of details || []) {
    if (one.instruction) fact(card, "Asks", one.instruction);
    const named = Object.values(one.properties || {}).filter(p => p && p.display);
    named.sort((a, b) => (a.display_order || 0) - (b.display_order || 0));
    for (const p of named) fact(card, String(p.name || "").replace(/:$/, ""), String(p.value));
  }
}

function add(item) {
  const card = document.getElementById("one").content.cloneNode(true).firstElementChild;
  const who = item.client_name + " asks for your approval";
  card.setAttribute("aria-label", who + ": " + item.binding_message);
  card.querySelector("h2").textContent = who;
  card.querySelector(".message").textContent = item.binding_message;
  detailFacts(card, item.authorization_details);
  fact(card, "Permission", item.scope.split(" ").filter(s => s !== "openid").join(" ") || "log in");
  fact(card, "For", item.audience);
  for (const decision of ["approve", "deny"])
    card.querySelector("." + decision).onclick = () => decide(item, card, decision);
  list.prepend(card);  // the newest on top, as phones do
  shown.set(item.id, { card, item });
  tell("New request: " + item.binding_message, item.id);
}

async function decide(item, card, decision) {
  card.querySelectorAll("button").forEach(b => b.disabled = true);
  tell("Sending your answer …");
  try {
    const answer = await fetch("notifications/" + encodeURIComponent(item.id), {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ decision }) });
    const done = (decision === "approve" ? "Approved: " : "Denied: ") + item.binding_message;
    tell(answer.status === 204 ? done : (await answer.json()).error);
    remove(item.id);
  } catch (gone) {
    tell("The answer was not sent: the phone has no connection. Try again.");
    card.querySelectorAll("button").forEach(b => b.disabled = false);
  }
}

function remove(id, lost) {
  const one = shown.get(id);
  if (!one) return;
  one.card.remove();
  if (fresh === id)
    tell((lost ? "Nobody can answer it, as it was sent to a phone that is gone: "
      : "Waits no longer, as it was answered or its time was up: ") + one.item.binding_message);
  shown.delete(id);
  none.hidden = shown.size > 0;
}

function tick() {
  for (const { card, item } of shown.values()) {
    const end = Date.parse(item.expires_at), begin = Date.parse(item.created_at);
    const left = Math.max(0, end - Date.now() - ahead);
    card.querySelector("progress").value = left / Math.max(1, end - begin);
    const s = Math.ceil(left / 1000);
    card.querySelector(".left").textContent =
      Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0") + " left";
  }
}

async function look() {
  try {
    const answer = await fetch("notifications");
    ahead = Number(answer.headers.get("x-now")) - Date.now();
    const waiting = await answer.json();
    const standing = await (await fetch("standing")).json();
    const ids = new Set(waiting.map(item => item.id));
    const lost = new Set(standing.lost.map(item => item.id));
    for (const id of [...shown.keys()]) if (!ids.has(id)) remove(id, lost.has(id));
    none.textContent = standing.enrolled ? nothing
      : "No phone is enrolled, so nobody can be asked here.";
    for (const item of waiting) if (!shown.has(item.id)) add(item);
    link.textContent = "connected";
    none.hidden = shown.size > 0;
  } catch (gone) { link.textContent = "no connection, trying again"; }
  tick();
}
setInterval(look, 1000);
look();
</script>
</body>
</html>
"""


def _digest(tag: str) -> str:
    """The CSP source that allows exactly what stands inside this tag."""
    text = HTML.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": f"default-src 'none'; style-src {_digest('style')}; "
    f"script-src {_digest('script')}; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",  # the address holds the secret
    "x-content-type-options": "nosniff",
}
