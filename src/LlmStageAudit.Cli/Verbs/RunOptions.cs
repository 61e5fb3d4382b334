using System.CommandLine;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Cli.Verbs;

/// <summary>Options of several verbs that work on a run or a plan, or make a run.</summary>
internal static class RunOptions
{
    private static readonly Option<string[]> s_set = new("--set") { Description = "Override a key: a.b=c, stages.NAME.epochs=2" };
    private static readonly Argument<string> s_config = new("config") { Description = "The run's YAML configuration" };

    public static Argument<string> Run { get; } = new("run") { Description = "A completed run folder" };

    public static Argument<string> Plan { get; } = new("plan") { Description = "A plan file" };

    public static Option<string> Gradient { get; } = Verb.Option(
        "--gradient", $"Where counterfactual gradients come from: {string.Join(", ", GradientSource.Practical)}", "exact", "-g");

    public static Option<double?> Rho { get; } = new("--rho")
    {
        Description = "Share of each batch that --gradient sampled draws (0.25), that the curvature of adjoint and aa-score is "
            + "taken from (1), and that a screen looks at",
    };

    /// <summary>For verbs whose answer is of one run, and could be of several.</summary>
    public static Option<int> Seeds { get; } = Verb.Option(
        "--seeds",
        "Train the run and its counterfactuals under this many further seeds too (start, order, dropout): only that says what the data does",
        0);

    /// <summary>The symbols of a verb about a run to be trained, around its option for the folder.</summary>
    public static Symbol[] ToTrain(Option<string?> folder) => [s_config, folder, s_set];

    /// <summary>The run to be trained, and its folder: runs/NAME beside its configuration where nothing else is said.</summary>
    public static (RunConfiguration Configuration, string Folder) Read(VerbContext context, Option<string?> folder)
    {
        var path = context.Get(s_config);
        var configuration = RunConfigurationReader.Read(path, context.Get(s_set) ?? []);
        return (configuration, context.Get(folder) ?? Path.Combine(
            Path.GetDirectoryName(Path.GetFullPath(path))!, "runs", Path.GetFileNameWithoutExtension(path)));
    }
}

/// <summary>Options of the verbs that run a probe.</summary>
internal static class ProbeOptions
{
    private static readonly Option<string> s_probe = new("--probe", "-p") { Description = "The probe's YAML file", Required = true };

    public static Option<UnlabelledPolicy> Unlabelled { get; } = Verb.Option(
        "--unlabelled",
        "Examples whose identity is not annotated: exclude them from groups, or count them as background",
        UnlabelledPolicy.Exclude);

    public static IReadOnlyList<Symbol> All { get; } = [s_probe, Unlabelled];

    public static ProbeConfiguration Read(VerbContext context) => ProbeConfigurationReader.Read(context.Get(s_probe)!);
}

/// <summary>Options of the verbs whose long walks can be gone on with after they broke off.</summary>
internal static class ResumeOptions
{
    private const double SaveEverySeconds = 60;

    private static readonly Option<double?> s_saveEvery = new("--save-every")
    {
        Description = $"Seconds between files that --resume goes on from ({SaveEverySeconds}); 0: after every step",
    };

    public static Option<bool> Resume { get; } =
        new("--resume") { Description = "Go on where the same command broke off; the result is the same to the bit" };

    public static IReadOnlyList<Symbol> All { get; } = [Resume, s_saveEvery];

    public static TimeSpan SaveInterval(VerbContext context)
    {
        var seconds = context.Get(s_saveEvery) ?? SaveEverySeconds;
        return seconds is >= 0 and <= 86_400
            ? TimeSpan.FromSeconds(seconds)
            : throw ConfigurationException.At("--save-every", $"'{Numbers.Plain(seconds)}'", "seconds from 0 to 86400");
    }
}
