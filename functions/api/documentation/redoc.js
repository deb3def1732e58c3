"use strict";

const FONTS = "system-ui, sans-serif";

Redoc.init("openapi.json", {
  hideDownloadButton: true,
  nativeScrollbars: true,
  requiredPropsFirst: true,
  theme: { typography: { fontFamily: FONTS, headings: { fontFamily: FONTS } } },
}, document.getElementById("api"));
