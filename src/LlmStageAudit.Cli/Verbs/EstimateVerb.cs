using System.CommandLine;
using System.Diagnostics;
using System.Reflection;
using LlmStageAudit.Auditing.Forecasts;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Cli.Verbs;

internal static class EstimateVerb
{
    private static readonly Argument<string> s_config = new("config") { Description = "The run's YAML configuration" };
    private static readonly Option<string?> s_out =
        new("--out", "-o") { Description = "Where the run folder would lie; default as for train" };
    private static readonly Option<string[]> s_set = new("--set") { Description = "Override a key: a.b=c, stages.NAME.epochs=2" };
    private static readonly Option<string[]> s_probe =
        new("--probe", "-p") { Description = "Probes to audit with; default: the configuration's" };
    private static readonly Option<double> s_measure = new("--measure-seconds")
    {
        Description = "About how long to run steps for measuring, beside loading",
        DefaultValueFactory = _ => 20,
        Validators =
        {
            result =>
            {
                if (result.GetValueOrDefault<double>() is not (>= 0 and <= 86400))
                    result.AddError("--measure-seconds: expected 0 to 86400");
            },
        },
    };

    public static Command Build() => Verb.Of(
        "estimate",
        "Foretells time, peak memory and disk of a run and its audit, from a handful of its own steps; keeps nothing.",
        ["stageaudit estimate run.yaml", "stageaudit estimate run.yaml --set stages.race.epochs=3 --probe probes/identity.yaml --json"],
        [s_config, s_out, s_set, s_probe, s_measure, CommonOptions.Device],
        Run);

    private static int Run(VerbContext context)
    {
        var path = context.Get(s_config);
        var configuration = RunConfigurationReader.Read(path, context.Get(s_set) ?? []);
        var probes = context.Get(s_probe) is { Length: > 0 } given ? given : configuration.Probes;
        var folder = context.Get(s_out) ?? RunOptions.DefaultFolder(path);
        // Within another program the process began for other reasons.
        var isOwnProcess = Assembly.GetEntryAssembly() == typeof(EstimateVerb).Assembly;
        var forecast = ForecastHop.Run(
            new ForecastRequest(configuration, folder)
            {
                Probes = [.. probes.Select(ProbeConfigurationReader.Read)],
                StartSeconds = isOwnProcess ? (DateTime.UtcNow - Process.GetCurrentProcess().StartTime.ToUniversalTime()).TotalSeconds : 0,
                MeasureSeconds = context.Get(s_measure),
            },
            context.Host);
        if (context.Json) WriteJson(context, forecast);
        else WriteTable(context, forecast, folder);
        return (int)ExitCode.Done;
    }

    private static void WriteJson(VerbContext context, RunForecast forecast) => context.WriteJson(new
    {
        SchemaVersion = 1,
        forecast.Phases,
        Train = Figures(forecast.Training, forecast.TrainingFits),
        Totals = Figures(forecast.Whole, forecast.Fits),
        Available = new { MemoryBytes = forecast.AvailableMemoryBytes, DiskBytes = forecast.FreeDiskBytes },
        forecast.Fits,
        Measured = new
        {
            TrainingSteps = forecast.Measured.Training,
            SweepSteps = forecast.Measured.Sweep,
            ProbeBatches = forecast.Measured.Probe,
            forecast.HashBytesPerSecond,
            forecast.WriteBytesPerSecond,
        },
        forecast.Assumptions,
    });

    private static object Figures(PhaseForecast total, bool fits) =>
        new { total.Seconds, total.PeakMemoryBytes, total.DiskBytes, Fits = fits };

    private static void WriteTable(VerbContext context, RunForecast forecast, string folder)
    {
        context.WriteTable(
            ["phase", ">time", ">peak memory", ">disk"],
            [
                .. forecast.Phases.Select(phase => Row(phase.Name, phase)),
                Row("train in all", forecast.Training),
                Row("everything", forecast.Whole),
            ]);
        context.Out.WriteLine(
            $"Available: {Shown(forecast.AvailableMemoryBytes)} of memory, {Shown(forecast.FreeDiskBytes)} of disk at {folder}.");
        context.Out.WriteLine(
            forecast.Fits ? "Everything fits."
            : forecast.TrainingFits ? "Training fits; the whole audit does not."
            : "Training does not fit.");
        context.Note(
            $"measured: {forecast.Measured.Training} training steps, {forecast.Measured.Sweep} sweep steps "
            + $"and {forecast.Measured.Probe} probe batches of the run's own, "
            + $"hashing {Numbers.Bytes((long)forecast.HashBytesPerSecond)}/s, disk {Numbers.Bytes((long)forecast.WriteBytesPerSecond)}/s");
        foreach (var assumption in forecast.Assumptions) context.Note($"assumed: {assumption}");
    }

    private static IReadOnlyList<string> Row(string name, PhaseForecast phase) =>
        [name, Numbers.Seconds(phase.Seconds), Numbers.Bytes(phase.PeakMemoryBytes), Numbers.Bytes(phase.DiskBytes)];

    private static string Shown(long? bytes) => bytes is { } known ? Numbers.Bytes(known) : "an unknown amount";
}
