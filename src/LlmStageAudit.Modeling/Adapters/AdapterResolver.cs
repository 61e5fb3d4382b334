using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Modeling.Adapters;

/// <summary>Turns the adapter section of a configuration into LoRA settings and, where there is a folder to start from, tensors.</summary>
public static class AdapterResolver
{
    private static readonly LoraConfig s_defaults = new() { Rank = 8, Alpha = 8 };

    /// <summary>What a run or a probe is to train, from the section that asks for it.</summary>
    /// <param name="section">The configuration's adapter section.</param>
    /// <param name="task">The model's; PEFT settings name it.</param>
    /// <exception cref="ConfigurationException">Settings contradict the folder to start from, or name no target.</exception>
    /// <exception cref="InvalidInputException">A folder cannot be read.</exception>
    public static AdapterSource Resolve(AdapterSection section, ModelTask task)
    {
        if (section.InitFrom is { } folder)
        {
            var (config, tensors) = AdapterFolder.Read(folder);
            RefuseContradictions(section, config, folder);
            if (config.Start == LoraStart.Mica)
            {
                throw ConfigurationException.At(
                    "adapter.initFrom", $"{folder} has init_lora_weights 'mica', whose B stays as it is in training",
                    "an adapter that trains both factors");
            }

            return FromFolder(config with { Dropout = section.Dropout ?? config.Dropout }, tensors, folder, task);
        }

        var recipe = section.Recipe is { } recipeFolder ? LoraConfig.Read(RecipeFile(recipeFolder)) : null;
        if (recipe is not null && recipe.Start is not (LoraStart.Kaiming or LoraStart.Gaussian or LoraStart.Linear))
        {
            throw ConfigurationException.At(
                "adapter.recipe", $"init_lora_weights '{recipe.Start}' of {section.Recipe} is a start that is not supported",
                "true, false or gaussian", "start the adapter in PEFT, save it, and name the folder as initFrom");
        }

        var targets = section.TargetModules ?? recipe?.TargetModules ?? [];
        var pattern = section.TargetModules is ["all-linear"]
            ? LoraConfig.AllLinear
            : section.TargetModules is null ? recipe?.TargetPattern : null;
        if (targets.Count == 0 && pattern is null)
            throw ConfigurationException.At("adapter", "nothing says which layers to adapt", "recipe, initFrom or targetModules");
        var start = recipe ?? s_defaults;
        var settings = start with
        {
            Rank = section.Rank ?? start.Rank,
            Alpha = section.Alpha ?? start.Alpha,
            UseRslora = section.UseRslora ?? start.UseRslora,
            Dropout = section.Dropout ?? start.Dropout,
            TargetModules = pattern is null ? targets : [],
            TargetPattern = pattern,
            ModulesToSave = section.ModulesToSave ?? start.ModulesToSave,
        };
        return new AdapterSource(WithTask(settings, task), null, section.Recipe ?? "adapter");
    }

    /// <summary>An adapter as it was read from its folder, for a model of that task.</summary>
    /// <exception cref="InvalidInputException">It was trained for another task, whose head or arithmetic this model lacks.</exception>
    public static AdapterSource FromFolder(
        LoraConfig config, IReadOnlyDictionary<string, HostTensor> tensors, string folder, ModelTask task)
    {
        var fits = config.TaskType is null or "CAUSAL_LM" or "FEATURE_EXTRACTION"
            || (config.TaskType == "SEQ_CLS" && task == ModelTask.SequenceClassification);
        if (!fits)
        {
            var kind = config.TaskType == "SEQ_CLS" ? "a classifier's" : "another task's";
            throw ModelingException.At(
                folder, $"the adapter is {kind} (task_type {config.TaskType}), and the model is to be {EnumSpelling<ModelTask>.Of(task)}",
                "an adapter for the same task", "change the task, or take another adapter");
        }

        return new AdapterSource(WithTask(config, task), tensors, folder) { TrainedFor = config.TaskType };
    }

    private static LoraConfig WithTask(LoraConfig config, ModelTask task) =>
        config with { TaskType = task == ModelTask.CausalLm ? "CAUSAL_LM" : "SEQ_CLS" };

    private static string RecipeFile(string recipe) => Directory.Exists(recipe) ? Path.Combine(recipe, AdapterFolder.ConfigFile) : recipe;

    private static void RefuseContradictions(AdapterSection section, LoraConfig config, string folder)
    {
        var faults = new List<string>();
        Check("r", section.Rank, config.Rank);
        Check("alpha", section.Alpha, config.Alpha);
        Check("rslora", section.UseRslora, config.UseRslora);
        CheckList("targetModules", section.TargetModules, config.TargetPattern is { } pattern ? [pattern] : config.TargetModules);
        CheckList("modulesToSave", section.ModulesToSave, config.ModulesToSave);
        if (section.Recipe is not null) faults.Add($"adapter.recipe: given beside initFrom ({folder}); leave one of them out");
        if (faults.Count > 0) throw ConfigurationException.Of(faults);

        void CheckList(string key, IReadOnlyList<string>? given, IReadOnlyList<string> expected)
        {
            if (given is null || given.ToHashSet().SetEquals(expected)) return;
            faults.Add(
                $"adapter.{key}: [{string.Join(", ", given)}]; expected [{string.Join(", ", expected)}], as in {folder}; leave it out");
        }

        void Check<T>(string key, T? given, T expected)
            where T : struct
        {
            if (given is { } value && !value.Equals(expected))
                faults.Add($"adapter.{key}: {value}; expected {expected}, as in {folder}; leave it out");
        }
    }
}

/// <summary>What is trained on top of the base: a LoRA adapter, given or to be initialised.</summary>
/// <param name="Config">Where the pairs go and how they scale.</param>
/// <param name="Tensors">The adapter's tensors by PEFT key; null to start fresh.</param>
/// <param name="Source">The folder it came from, for messages.</param>
public sealed record AdapterSource(LoraConfig Config, IReadOnlyDictionary<string, HostTensor>? Tensors, string Source)
{
    /// <summary>task_type of the folder the tensors are from; null where it says nothing.</summary>
    public string? TrainedFor { get; init; }

    /// <summary>Whether the adapter is one of a task without a classification head, so that a classifier's is not missed in it.</summary>
    internal bool HoldsNoHead => TrainedFor is "CAUSAL_LM" or "FEATURE_EXTRACTION";
}
