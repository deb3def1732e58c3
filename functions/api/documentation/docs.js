"use strict";

/* Swagger UI filters by tags only. This plugin searches methods, paths, summaries and descriptions, too. */
function SearchPlugin(system) {
  const matches = (words) => (operation) => {
    const details = operation.get("operation");
    const text = [operation.get("method"), operation.get("path"), operation.get("id"), details.get("summary"),
      details.get("description"), details.get("tags").join(" ")].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const opsFilter = (taggedOperations, phrase) => {
    const words = phrase.toLowerCase().split(/\s+/).filter(Boolean);
    return taggedOperations
      .map((tag) => tag.update("operations", (operations) => operations.filter(matches(words))))
      .filter((tag) => tag.get("operations").size > 0);
  };
  const SearchBox = ({ layoutSelectors, layoutActions, specSelectors }) => {
    if (specSelectors.loadingStatus() !== "success") return null;
    const phrase = layoutSelectors.currentFilter();
    return system.React.createElement("div", { className: "wrapper" }, system.React.createElement("input", {
      "aria-label": "Search the operations",
      className: "sluice-search",
      onChange: (event) => layoutActions.updateFilter(event.target.value || true),
      placeholder: "Search operations, such as “upload” or “get version”",
      type: "search",
      value: typeof phrase === "string" ? phrase : "",
    }));
  };
  return { fn: { opsFilter }, components: { FilterContainer: SearchBox } };
}

/* The document lists three ways to send the same key. One field is enough: that of the first. */
function OneCredentialPlugin() {
  const first = (items) => (items && items.slice ? items.slice(0, 1) : items);
  return {
    statePlugins: {
      auth: {
        wrapSelectors: {
          definitionsToAuthorize: (original) => () => first(original()),
          definitionsForRequirements: (original) => (state, requirements) => original(first(requirements)),
        },
      },
    },
  };
}

window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  defaultModelsExpandDepth: 0,
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: true,
  plugins: [SearchPlugin, OneCredentialPlugin],
  validatorUrl: null,
});
