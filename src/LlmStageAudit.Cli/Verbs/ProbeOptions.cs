using System.CommandLine;
using LlmStageAudit.Probing.Probes;

namespace LlmStageAudit.Cli.Verbs;

/// <summary>Options of the verbs that run a probe.</summary>
internal static class ProbeOptions
{
    public static Option<string> Probe { get; } = new("--probe", "-p") { Description = "The probe's YAML file", Required = true };

    public static Option<UnlabelledPolicy> Unlabelled { get; } = new("--unlabelled")
    {
        Description = "Examples whose identity is not annotated: exclude them from groups, or count them as background",
        DefaultValueFactory = _ => UnlabelledPolicy.Exclude,
    };
}
