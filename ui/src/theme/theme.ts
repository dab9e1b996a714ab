import { createTheme } from "@mantine/core";

/** Defaults of Mantine's components. Colours, type and sizes are CSS variables in `mantine.css` and `tokens.css`. */
export const theme = createTheme({
  defaultRadius: 6,
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    // What helps with a field stands below it: fields beside each other stay in line.
    InputWrapper: { defaultProps: { inputWrapperOrder: ["label", "input", "description", "error"] } },
    Button: { defaultProps: { size: "xs" } },
    TextInput: { defaultProps: { size: "sm" } },
    PasswordInput: { defaultProps: { size: "sm" } },
    Textarea: { defaultProps: { size: "sm" } },
    NumberInput: { defaultProps: { size: "sm" } },
    NativeSelect: { defaultProps: { size: "sm" } },
    TagsInput: { defaultProps: { size: "sm" } },
    Checkbox: { defaultProps: { size: "xs" } },
    Switch: { defaultProps: { size: "sm", withThumbIndicator: false } },
    Tooltip: { defaultProps: { openDelay: 400, withArrow: false, transitionProps: { duration: 80 } } },
    Menu: { defaultProps: { transitionProps: { duration: 80 }, shadow: "none" } },
    Popover: { defaultProps: { transitionProps: { duration: 80 }, shadow: "none" } },
  },
});
