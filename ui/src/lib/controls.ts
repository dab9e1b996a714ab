/** Control references as people write them: `nis2:21.2.h` is `NIS2 21(2)(h)`, `2024/2690:9.2` is `2024/2690 9.2`. */
export function controlName(reference: string): string {
  const [framework, control] = reference.split(/:(.*)/s);
  if (framework === "nis2" && control) {
    const [article, paragraph, letter] = control.split(".");
    if (article && paragraph && letter) return `NIS2 ${article}(${paragraph})(${letter})`;
    return `NIS2 ${control}`;
  }
  return control ? `${framework} ${control}` : reference;
}
