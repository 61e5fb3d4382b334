using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Auditing;

/// <summary>Opens a model folder, with or without an adapter, taking task and classes from what the files say.</summary>
public static class ModelOpener
{
    private const string AdapterHead = AdapterFolder.KeyPrefix + "score.weight";

    /// <summary>Loads weights for evaluation; a missing head is refused, not drawn.</summary>
    /// <param name="path">A Hugging Face model folder.</param>
    /// <param name="adapterPath">A PEFT adapter folder; null for none.</param>
    /// <param name="task">What the probe wants; null: what the adapter or the architecture says.</param>
    /// <param name="device">Where the weights go.</param>
    /// <returns>The model, and its trainable state [N], detached from the current dispose scope; the caller disposes of both.</returns>
    /// <exception cref="Foundation.Errors.AuditException">Folder, weights or adapter cannot be used; the message says why.</exception>
    public static (LanguageModel Model, Tensor State) Open(string path, string? adapterPath, ModelTask? task, Device device)
    {
        (LoraConfig Config, IReadOnlyDictionary<string, HostTensor> Tensors)? adapter =
            adapterPath is null ? null : AdapterFolder.Read(adapterPath);
        using var folder = ModelFolder.Open(path);
        var classifies = adapter?.Config.TaskType == "SEQ_CLS"
            || folder.Config.Architectures.Any(name => name.EndsWith("ForSequenceClassification", StringComparison.Ordinal));
        var labels = adapter?.Tensors.GetValueOrDefault(AdapterHead)?.Shape[0] ?? folder.Config.NumLabels ?? 2;
        var meant = task ?? (classifies ? ModelTask.SequenceClassification : ModelTask.CausalLm);
        return LanguageModelLoader.Load(path, new LanguageModelOptions
        {
            Task = meant,
            Labels = (int)labels,
            Adapter = adapter is var (config, tensors) ? AdapterResolver.FromFolder(config, tensors, adapterPath!, meant) : null,
            ForTraining = false,
            Device = device,
        });
    }
}
