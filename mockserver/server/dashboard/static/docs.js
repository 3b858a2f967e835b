// Shows an OpenAPI document by Swagger UI: rules and provenance by each operation, requests sent as who asks says.

import { bearer, change, headers, look, session } from "./lib/session.js";

const ofControl = new URLSearchParams(location.search).get("of") === "control";
const METHODS = ["get", "put", "post", "delete"];
const field = (id) => document.getElementById(id);

function dark(query) {
  document.documentElement.classList.toggle("dark-mode", query.matches);
}

function provenance(level) {
  return level ? ` _(${level})_` : "";
}

// The rules as Markdown, which Swagger UI shows with all markup taken out that could do anything.
function withRules(operation, rules) {
  const lines = (operation["x-rules"] ?? []).map((id) => {
    const rule = rules[id];
    return rule ? `| \`${id}\` | ${rule.level} | ${rule.statement.trim().replaceAll("\n", " ").replaceAll("|", "\\|")} |` : "";
  });
  const known = operation["x-provenance"];
  const parts = [operation.description ?? ""];
  if (known) parts.push(`**Provenance:** ${known}`);
  if (lines.length) parts.push(["| rule | known | what holds |", "| --- | --- | --- |", ...lines].join("\n"));
  operation.description = parts.filter(Boolean).join("\n\n");
}

function shown(spec) {
  const rules = spec["x-rules"] ?? {};
  for (const item of Object.values(spec.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      withRules(operation, rules);
      for (const answer of Object.values(operation.responses)) {
        if (answer.description) answer.description += provenance(answer["x-provenance"]);
      }
    }
  }
  spec.servers = [{ url: location.origin + (ofControl ? "/_mock" : "/api"), description: "this server" }];
  return spec;
}

function asked(request) {
  // Swagger UI fetches nothing else; what it sends goes to this server alone.
  const wanted = headers(ofControl);
  for (const [name, value] of Object.entries(wanted)) {
    if (request.headers[name] === undefined) request.headers[name] = value;
  }
  return request;
}

function authorize(interfaceOfSwagger) {
  if (ofControl) interfaceOfSwagger.preauthorizeApiKey("bearer", bearer());
  else interfaceOfSwagger.preauthorizeApiKey("bearerToken", bearer());
  if (ofControl && session.control) interfaceOfSwagger.preauthorizeApiKey("controlToken", session.control);
}

// Swagger UI leaves choices without a name, and code that is scrolled out of the keyboard's reach.
function complete() {
  for (const choice of field("reference").querySelectorAll("select:not([aria-label])")) {
    const named = choice.id === "servers" ? "Server" : choice.classList.contains("examples-select-element") ? "Example" : "Choice";
    choice.setAttribute("aria-label", choice.closest("[data-param-name]")?.dataset.paramName ?? named);
  }
  for (const code of field("reference").querySelectorAll("pre.microlight:not([tabindex])")) code.tabIndex = 0;
}

async function start() {
  const query = matchMedia("(prefers-color-scheme: dark)");
  dark(query);
  query.addEventListener("change", dark);
  field(ofControl ? "of-control" : "of-api").setAttribute("aria-current", "page");
  field("world").value = session.world;
  field("token").value = session.token;
  const spec = await look(ofControl ? "/openapi.json" : "/spec.json");
  document.title = `${spec.info.title} · mock server`;
  new MutationObserver(complete).observe(field("reference"), { childList: true, subtree: true });
  const interfaceOfSwagger = window.SwaggerUIBundle({
    spec: shown(spec),
    domNode: field("reference"),
    deepLinking: false,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    validatorUrl: null,
    queryConfigEnabled: false,
    requestInterceptor: asked,
    onComplete: () => authorize(interfaceOfSwagger),
  });
  field("who").addEventListener("input", () => {
    change({ token: field("token").value.trim(), world: field("world").value.trim(), control: field("control").value });
    authorize(interfaceOfSwagger);
  });
  field("who").addEventListener("submit", (event) => event.preventDefault());
}

start().catch((error) => {
  field("said").textContent = `The document can't be shown: ${error.message}`;
});
