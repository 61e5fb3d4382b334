using System.Text.Json;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>Path -> what it is: a run, a trajectory log, a model, an adapter, a safetensors file, a plan or another result.</summary>
public static class InspectHop
{
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <summary>Looks at names and headers, not at weights.</summary>
    /// <returns>Facts by name, <c>kind</c> first, in reading order: texts, numbers, and lists of such or of named parts.</returns>
    /// <exception cref="AuditException">Nothing is there, or nothing that is known here.</exception>
    public static IReadOnlyDictionary<string, object?> Run(string path, WalkHost host)
    {
        if (RunFolder.IsRun(path)) return OfRun(RunFolder.Open(path).ReadManifest());
        if (Directory.Exists(path)) return File.Exists(Path.Combine(path, AdapterFolder.ConfigFile)) ? OfAdapter(path, host) : OfModel(path);
        if (!File.Exists(path)) throw ConfigurationException.At(path, "no such file or folder");
        if (path.EndsWith(".safetensors", StringComparison.Ordinal)) return OfSafetensors(path);
        return LogSummary.IsLog(path) ? OfLog(path) : OfResult(path);
    }

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
        ["stages"] = run.Stages.Select(stage => new { stage.Name, stage.State, stage.Steps, stage.LossFirst, stage.LossLast }),
        ["libtorch"] = run.Engine.LibTorchVersion,
        ["device"] = run.Engine.Device,
    };

    private static Dictionary<string, object?> OfAdapter(string path, WalkHost host)
    {
        var (config, tensors) = AdapterFolder.Read(path);
        foreach (var warning in config.Warnings) host.Observer.Warn(new Warning("adapter-config", warning));
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
            ["sizeBytes"] = ForeignFile.SizeBytes(path),
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
                    .ToDictionary(
                        property => property.Name,
                        property => property.Value.ValueKind == JsonValueKind.Array
                            ? $"{property.Value.GetArrayLength()} entries"
                            : (object?)property.Value.Clone());
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
