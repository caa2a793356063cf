export { type CompiledExpression, compileExpression } from './compile-expression.ts';
export { compileTemplate, type ExpandedTemplate, type Template, type TemplateOptions } from './compile-template.ts';
export { withRegexBudget } from './regex-budget.ts';
export { compileReplacement, type Replacement } from './replacement.ts';
export { compileRegex, type RegexMatch, type RegexOptions, type SafeRegex } from './safe-regex.ts';
export type { VariableSource, VariableValue } from './variable-source.ts';
