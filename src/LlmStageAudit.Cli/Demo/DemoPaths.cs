namespace LlmStageAudit.Cli.Demo;

/// <summary>Where the generated files lie; every path is absolute.</summary>
/// <param name="Pretraining">JSON lines with <c>id</c>, <c>text</c> and <c>reaction</c>.</param>
/// <param name="Stages">One CSV file per source, in the order of <see cref="DemoCorpus.StageNames"/>.</param>
/// <param name="Probe">CSV file with the stages' columns.</param>
internal sealed record DemoPaths(string Pretraining, IReadOnlyList<KeyValuePair<string, string>> Stages, string Probe);
