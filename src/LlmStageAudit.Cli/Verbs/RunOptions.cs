using System.CommandLine;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Cli.Verbs;

/// <summary>Options of several verbs that work on a run or a plan.</summary>
internal static class RunOptions
{
    public static Argument<string> Run { get; } = new("run") { Description = "A completed run folder" };

    public static Argument<string> Plan { get; } = new("plan") { Description = "A plan file" };

    public static Option<string> Gradient { get; } = new("--gradient", "-g")
    {
        Description = $"Where counterfactual gradients come from: {string.Join(", ", GradientSource.Names)}",
        DefaultValueFactory = _ => "exact",
    };

    public static Option<double?> Rho { get; } = new("--rho")
    {
        Description = "Share of each batch that --gradient sampled draws (0.25), that the curvature of adjoint and aa-score is "
            + "taken from (1), and that a screen looks at",
    };

    /// <summary>Where a run goes that is not told otherwise: runs/NAME beside its configuration.</summary>
    public static string DefaultFolder(string configuration) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(configuration))!, "runs", Path.GetFileNameWithoutExtension(configuration));
}

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
