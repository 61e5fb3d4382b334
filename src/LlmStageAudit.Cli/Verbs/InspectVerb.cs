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

    private static int Run(VerbContext context)
    {
        var path = context.Get(s_path);
        var facts = Facts(path);
        if (context.Json) context.WriteJson(new Dictionary<string, object?> { ["schemaVersion"] = 1 }.Concat(facts).ToDictionary());
        else context.WriteTable(["", ""], facts.Select(fact => (IReadOnlyList<string>)[fact.Key, Show(fact.Value)]));
        return (int)ExitCode.Done;
    }

    private static Dictionary<string, object?> Facts(string path)
    {
        if (RunFolder.IsRun(path)) return OfRun(RunFolder.Open(path).ReadManifest());
        if (Directory.Exists(path)) return File.Exists(Path.Combine(path, AdapterFolder.ConfigFile)) ? OfAdapter(path) : OfModel(path);
        if (!File.Exists(path)) throw ConfigurationException.At(path, "no such file or folder");
        if (path.EndsWith(".safetensors", StringComparison.Ordinal)) return OfSafetensors(path);
        return LogSummary.IsLog(path) ? InspectedLog.Facts(path) : OfResult(path);
    }

    private static Dictionary<string, object?> OfRun(RunManifest run) => new()
    {
        ["kind"] = "run",
        ["runId"] = run.RunId,
        ["state"] = EnumSpelling<RunState>.Of(run.State),
        ["createdUtc"] = run.CreatedUtc,
        ["model"] = run.Configuration.Model.Path,
        ["parameters"] = run.ParameterCount,
        ["seed"] = run.Configuration.Seed,
        ["skippedStages"] = run.Start.SkippedStages,
        ["stages"] = run.Stages.Select(stage =>
            $"{stage.Name}: {EnumSpelling<StageState>.Of(stage.State)}, {stage.Steps} steps, "
            + $"loss {Numbers.Plain(stage.LossFirst ?? double.NaN)} to {Numbers.Plain(stage.LossLast ?? double.NaN)}").ToArray(),
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
            ["targetModules"] = config.TargetPattern is { } pattern ? [pattern] : config.TargetModules.ToArray(),
            ["modulesToSave"] = config.SavedModules.ToArray(),
            ["tensors"] = tensors.Count,
            ["parameters"] = tensors.Values.Sum(tensor => (long)tensor.Values.Length),
            ["warnings"] = config.Warnings.ToArray(),
        };
    }

    private static Dictionary<string, object?> OfModel(string path)
    {
        using var folder = ModelFolder.Open(path);
        return new()
        {
            ["kind"] = "model",
            ["modelType"] = folder.Config.ModelType,
            ["architectures"] = folder.Config.Architectures.ToArray(),
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

    private static string Show(object? value) => value switch
    {
        null => "-",
        string[] lines => string.Join(Environment.NewLine, lines),
        _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "",
    };
}
