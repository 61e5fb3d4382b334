using System.CommandLine;
using System.Text.Json;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Cli.Verbs;

internal static class InspectVerb
{
    private static readonly Argument<string> s_path =
        new("path") { Description = "A run, a model or adapter folder, a safetensors file, a trajectory log, or a result file" };

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    public static Command Build() => Verb.Of(
        "inspect",
        "Says what a path is: a run, a trajectory log, a model, an adapter, a safetensors file, a plan or another result.",
        [
            "stageaudit inspect runs/a",
            "stageaudit inspect runs/a/stages/01-religion/trajectory.log",
            "stageaudit inspect models/pythia-70m --json"
        ],
        [s_path],
        Run);

    private static void Run(VerbContext context)
    {
        var facts = Facts(context.Get(s_path));
        var shown = JsonSerializer.SerializeToElement(facts, ArtifactJson.Options).EnumerateObject();
        context.Print(facts, () => context.WriteFacts(shown.Select(fact => (fact.Name, Shown(fact.Value)))));
    }

    private static Dictionary<string, object?> Facts(string path)
    {
        if (RunFolder.IsRun(path)) return OfRun(RunFolder.Open(path).ReadManifest());
        if (Directory.Exists(path)) return File.Exists(Path.Combine(path, AdapterFolder.ConfigFile)) ? OfAdapter(path) : OfModel(path);
        if (!File.Exists(path)) throw ConfigurationException.At(path, "no such file or folder");
        if (path.EndsWith(".safetensors", StringComparison.Ordinal)) return OfSafetensors(path);
        return LogSummary.IsLog(path) ? OfLog(path) : OfResult(path);
    }

    private static string? Shown(JsonElement fact) => fact.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Array => string.Join(Environment.NewLine, fact.EnumerateArray()),
        _ => fact.ToString(),
    };

    private static Dictionary<string, object?> OfRun(RunManifest run) => new()
    {
        ["kind"] = "run",
        ["runId"] = run.RunId,
        ["state"] = run.State,
        ["createdUtc"] = run.CreatedUtc,
        ["model"] = run.Configuration.Model.Path,
        ["parameters"] = run.ParameterCount,
        ["seed"] = run.Configuration.Seed,
        ["skippedStages"] = run.Start.SkippedStages,
        ["stages"] = run.Stages.Select(stage =>
            $"{stage.Name}: {EnumSpelling<StageState>.Of(stage.State)}, {stage.Steps} steps, "
            + $"loss {Numbers.Plain(stage.LossFirst ?? double.NaN)} to {Numbers.Plain(stage.LossLast ?? double.NaN)}"),
        ["libtorch"] = run.Engine.LibTorchVersion,
        ["device"] = run.Engine.Device,
    };

    private static Dictionary<string, object?> OfAdapter(string path)
    {
        var (config, tensors) = AdapterFolder.Read(path);
        return new()
        {
            ["kind"] = "adapter",
            ["taskType"] = config.TaskType,
            ["r"] = config.Rank,
            ["alpha"] = config.Alpha,
            ["scaling"] = config.Scaling,
            ["targetModules"] = config.TargetPattern is { } pattern ? [pattern] : config.TargetModules,
            ["modulesToSave"] = config.SavedModules,
            ["tensors"] = tensors.Count,
            ["parameters"] = tensors.Values.Sum(tensor => (long)tensor.Values.Length),
            ["warnings"] = config.Warnings,
        };
    }

    private static Dictionary<string, object?> OfModel(string path)
    {
        using var folder = ModelFolder.Open(path);
        return new()
        {
            ["kind"] = "model",
            ["modelType"] = folder.Config.ModelType,
            ["architectures"] = folder.Config.Architectures,
            ["tensors"] = folder.Tensors.Count,
            ["parameters"] = folder.Tensors.Values.Sum(tensor => tensor.Entry.ElementCount),
            ["dtypes"] = folder.Tensors.Values.Select(tensor => tensor.Entry.Dtype.ToString()).Distinct().ToArray(),
            ["tokenizer"] = folder.TokenizerPath,
            ["files"] = folder.Files.ToArray(),
        };
    }

    private static Dictionary<string, object?> OfSafetensors(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return new()
        {
            ["kind"] = "safetensors",
            ["sizeBytes"] = new FileInfo(path).Length,
            ["metadata"] = file.Metadata.Select(pair => $"{pair.Key} = {pair.Value}").ToArray(),
            ["tensors"] = file.Tensors.Values
                .Select(tensor => $"{tensor.Name} {tensor.Dtype} [{string.Join(", ", tensor.Shape)}]").ToArray(),
        };
    }

    /// <summary>A log by its framing: whole, torn or damaged, and of which run. Hashes are for verify-log.</summary>
    private static Dictionary<string, object?> OfLog(string path)
    {
        var log = LogSummary.Read(path);
        var around = RunFolder.Around(path);
        return new()
        {
            ["kind"] = "trajectory-log",
            ["version"] = log.Version,
            ["condition"] = log.Fault is { } fault ? $"damaged after record {log.Records}: {fault}"
                : log.TornBytes > 0 ? $"torn: {log.TornBytes} bytes of an unfinished record after record {log.Records}"
                : "whole",
            ["records"] = log.Records,
            ["firstStep"] = log.First?.Step,
            ["lastStep"] = log.Last?.Step,
            ["lossFirst"] = log.First?.LossNats,
            ["lossLast"] = log.Last?.LossNats,
            ["gradientValues"] = log.GradientBytes / sizeof(float),
            ["sizeBytes"] = log.SizeBytes,
            ["headHash"] = log.HeadHash,
            ["run"] = around is null ? null : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path) ?? "", "..", "..")),
            ["runId"] = around?.Run.RunId,
            ["stage"] = around?.Stage.Name,
            ["belongs"] = around is { } found ? Belonging(path, log, found.Run, found.Stage) : "unknown: no run folder around it",
        };
    }

    private static string Belonging(string path, LogSummary log, RunManifest run, StageResult stage)
    {
        if (LogSummary.IsOf(path, TrajectoryGenesis.Of(run.RunId, stage.Name)) is not { } isOf) return "no record yet";
        if (!isOf) return "NO: its first record is of another run or stage, or was changed";
        if (stage.TrajectoryHead is not { } head) return "yes; the stage is not finished";
        return log.HeadHash == head && log.TornBytes == 0
            ? "yes, and it ends where the manifest says"
            : $"yes, but the manifest says that it ends in {head}";
    }

    /// <summary>A JSON result of this tool: its top-level values, lists by their length.</summary>
    private static Dictionary<string, object?> OfResult(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(ForeignFile.ReadText(path, ArtifactJson.MaximumSizeBytes), s_strict);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("kind", out _))
            {
                return document.RootElement.EnumerateObject()
                    .Where(property => property.Name != "schemaVersion")
                    .ToDictionary(property => property.Name, property => property.Value.ValueKind switch
                    {
                        JsonValueKind.Array => $"{property.Value.GetArrayLength()} entries",
                        JsonValueKind.Object => "an object",
                        _ => (object?)property.Value.ToString(),
                    });
            }
        }
        catch (ForeignFileException exception)
        {
            throw ConfigurationException.At(path, exception.Message);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Not JSON at all gets the same answer as JSON of something else; half a surrogate pair is the second exception.
        }

        throw ConfigurationException.At(
            path, "not a file this tool knows", "a safetensors file, a trajectory log or a result of stageaudit");
    }
}
