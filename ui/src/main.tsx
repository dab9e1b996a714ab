import "@fontsource-variable/ibm-plex-sans/wght.css";
import "@fontsource/ibm-plex-mono/latin-400.css";
import "./theme/base.css";
import "@mantine/core/styles.layer.css";
import "./theme/tokens.css";
import "./theme/mantine.css";
import "./theme/frame.css";
import "./theme/page.css";
import "./theme/marks.css";
import "./theme/table.css";
import "./theme/drawer.css";
import "./theme/dialogs.css";
import "./theme/forms.css";
import "./theme/overview.css";
import "./theme/mantine-parts.css";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/queries";
import { useBrandStyle } from "./app/brand";
import { router } from "./app/router";
import { useScheme } from "./app/theme-choice";
import { Toasts } from "./app/toasts";
import { theme } from "./theme/theme";

const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";

/** Below the provider of what it asks for. */
function BrandStyle() {
  useBrandStyle();
  return null;
}

function App() {
  const scheme = useScheme();
  return (
    <MantineProvider
      theme={theme}
      forceColorScheme={scheme}
      withCssVariables={false}
      withGlobalClasses={false}
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queryClient}>
        <BrandStyle />
        <RouterProvider router={router} />
        <Toasts />
      </QueryClientProvider>
    </MantineProvider>
  );
}

const element = document.getElementById("root");
if (element) {
  createRoot(element).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
