// Two real identity providers for browser tests, one of each protocol, with people that a test may change.
// Settings come as JSON in IDP_SETTINGS: ports, key and certificate (PEM), OIDC clients, people.

import http from "node:http";
import express from "express";
import Provider from "oidc-provider";
import samlp from "samlp";
import SessionParticipants from "samlp/lib/sessionParticipants/index.js";

const { oidcPort, samlPort, key, certificate, clients, people } = JSON.parse(process.env.IDP_SETTINGS);

// --- OpenID Connect ----------------------------------------------------------------------------------------

const provider = new Provider(`http://127.0.0.1:${oidcPort}`, {
  clients,
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
  scopes: ["openid", "email", "profile", "groups"],
  cookies: { keys: ["tests only"] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: id, email_verified: true, name: id.split("@")[0], groups: people[id] ?? [] }),
  }),
});

// --- SAML --------------------------------------------------------------------------------------------------

const app = express();
const entityId = `http://127.0.0.1:${samlPort}/metadata`;
const format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const sessions = new Map(); // cookie → { email, participants }
const transactions = new Map();
const store = {
  save: (_, state, done) => { const id = crypto.randomUUID(); transactions.set(id, state); done(null, id); },
  load: (_, id, options, done) => {
    const finish = done ?? options;
    const state = transactions.get(id);
    if (done && options.destroy) transactions.delete(id);
    finish(null, state);
  },
  update: (_, id, state, done) => { transactions.set(id, state); done(null); },
};

app.use(express.urlencoded({ extended: false }), express.json());

function sessionOf(request) {
  const id = /idp=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1];
  return id ? { id, ...sessions.get(id) } : {};
}

// Node does not resolve names below localhost: ask 127.0.0.1 by the name.
function spCertificate(metadata) {
  const { hostname, port, pathname } = new URL(metadata);
  return new Promise((done, fail) => {
    http.get({ host: "127.0.0.1", port, path: pathname, headers: { Host: `${hostname}:${port}` } }, (response) => {
      let text = "";
      response.on("data", (part) => { text += part; });
      response.on("end", () => done(/<\w*:?X509Certificate>([^<]+)</.exec(text)[1].replace(/\s/g, "")));
    }).on("error", fail);
  });
}

function mapper(user) {
  const claim = (name) => `http://schemas.xmlsoap.org/ws/2005/05/identity/claims/${name}`;
  return {
    getClaims: () => ({ [claim("emailaddress")]: user.email, displayName: user.email.split("@")[0], groups: people[user.email] ?? [] }),
    getNameIdentifier: () => ({ nameIdentifier: `id-of-${user.email}`, nameIdentifierFormat: format }),
  };
}

app.get("/metadata", (request, response) => {
  const text = certificate.replace(/-----[^-]+-----|\s/g, "");
  response.type("application/samlmetadata+xml").send(
    `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}"><md:IDPSSODescriptor`
    + ' protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing">'
    + `<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${text}`
    + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    + `<md:SingleLogoutService Binding="${redirect}" Location="http://127.0.0.1:${samlPort}/slo"/>`
    + `<md:SingleSignOnService Binding="${redirect}" Location="http://127.0.0.1:${samlPort}/sso"/>`
    + "</md:IDPSSODescriptor></md:EntityDescriptor>",
  );
});

app.get("/sso", async (request, response, next) => {
  const session = sessionOf(request);
  if (!session.email) {
    return response.send('<form method="post" action="/sign-in"><label>Login <input name="login"></label>'
      + `<input type="hidden" name="back" value="${request.originalUrl.replace(/&/g, "&amp;").replace(/"/g, "&quot;")}"><button>Sign-in</button></form>`);
  }
  samlp.parseRequest(request, async (error, asked) => {
    if (error) return next(error);
    const sessionIndex = crypto.randomUUID();
    const acs = asked.assertionConsumerServiceURL;
    sessions.get(session.id).participants.push({
      serviceProviderId: asked.issuer,
      nameId: `id-of-${session.email}`,
      nameIdFormat: format,
      sessionIndex,
      serviceProviderLogoutURL: acs.replace("/acs", "/sls"),
      cert: await spCertificate(asked.issuer),
    });
    samlp.auth({
      issuer: entityId, cert: certificate, key, recipient: acs, destination: acs, sessionIndex,
      signResponse: true, lifetimeInSeconds: 300, profileMapper: mapper,
      getUserFromRequest: () => session,
      getPostURL: (audience, dom, req, done) => done(null, acs),
    })(request, response, next);
  });
});

app.post("/sign-in", (request, response) => {
  const id = crypto.randomUUID();
  sessions.set(id, { email: request.body.login, participants: [] });
  response.set("Set-Cookie", `idp=${id}; Path=/; HttpOnly; SameSite=Lax`).redirect(request.body.back);
});

app.get("/slo", (request, response, next) => {
  const session = sessionOf(request);
  request.body ??= {};
  samlp.logout({
    issuer: entityId, cert: certificate, key, deflate: true, protocolBinding: redirect, store,
    sessionParticipants: new SessionParticipants(session.participants ?? []),
    clearIdPSession: (done) => { sessions.delete(session.id); done(); },
  })(request, response, next);
});

app.post("/people", (request, response) => { Object.assign(people, request.body); response.send("ok"); });

provider.listen(oidcPort, "127.0.0.1", () => app.listen(samlPort, "127.0.0.1", () => console.log("ready")));
