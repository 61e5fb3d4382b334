using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Configuration.Yaml;

/// <summary>Where a value stands: a line of a file, or an override of one.</summary>
/// <param name="Where">As messages name it: <c>run.yaml:12</c> or <c>override seed=x</c>.</param>
/// <param name="Line">For the order of messages; overrides come last.</param>
internal readonly record struct ConfigurationSource(string Where, int Line)
{
    public static ConfigurationSource OfOverride(string text) => new($"{Setting.Override} {Shown.Plain(text)}", int.MaxValue);

    public static ConfigurationSource OfLine(string path, long line) => new($"{path}:{line}", (int)Math.Min(line, int.MaxValue - 1));
}
