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
    private static readonly Option<string?> s_out =
        new("--out", "-o") { Description = "Where the run folder would lie; default as for train" };
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
        [.. RunOptions.ToTrain(s_out), s_probe, s_measure, CommonOptions.Device],
        Run);

    private static void Run(VerbContext context)
    {
        var (configuration, folder) = RunOptions.Read(context, s_out);
        var probes = context.Get(s_probe) is { Length: > 0 } given ? given : configuration.Probes;
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
        context.Print(Answer(forecast), () => WriteTable(context, forecast, folder));
    }

    private static object Answer(RunForecast forecast) => new
    {
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
    };

    private static object Figures(PhaseForecast total, bool fits) =>
        new { total.Seconds, total.PeakMemoryBytes, total.DiskBytes, Fits = fits };

    private static void WriteTable(VerbContext context, RunForecast forecast, string folder)
    {
        context.WriteTable(
            [.. forecast.Phases, forecast.Training with { Name = "train in all" }, forecast.Whole with { Name = "everything" }],
            ("phase", (PhaseForecast phase) => phase.Name),
            (">time", phase => Numbers.Seconds(phase.Seconds)),
            (">peak memory", phase => Numbers.Bytes(phase.PeakMemoryBytes)),
            (">disk", phase => Numbers.Bytes(phase.DiskBytes)));
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

    private static string Shown(long? bytes) => bytes is { } known ? Numbers.Bytes(known) : "an unknown amount";
}
