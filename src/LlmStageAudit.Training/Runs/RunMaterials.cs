using LlmStageAudit.Artifacts.Configuration;
using LlmStageAudit.Artifacts.Runs;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Tokenization;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Runs;

/// <summary>A configuration made concrete: the model, where it starts, and the program and examples of every stage. Owns the model.</summary>
public sealed class RunMaterials : IDisposable
{
    private readonly Tokenizer? _tokenizer;
    private readonly RunConfiguration _configuration;

    private RunMaterials(RunConfiguration configuration, LanguageModel model, Tensor initialState)
    {
        (_configuration, Model, InitialState) = (configuration, model, initialState);
        _tokenizer = model.Folder.TokenizerPath is { } path && NeedsTokenizer(configuration) ? Tokenizer.Load(path) : null;
    }

    public LanguageModel Model { get; }

    /// <summary>The trainable state before the first stage, [N].</summary>
    public Tensor InitialState { get; }

    public IReadOnlyList<StageProgram> Programs { get; private set; } = [];

    public IReadOnlyList<ExampleSet> ExampleSets { get; private set; } = [];

    /// <summary>Everything as the configuration says.</summary>
    /// <param name="device">Where to compute.</param>
    public static RunMaterials Gather(RunConfiguration configuration, Device? device)
    {
        var adapter = configuration.Adapter is { } section ? AdapterResolver.Resolve(section, configuration.Model.Task) : null;
        return Gather(configuration, configuration.Model.Path, adapter, configuration.Model.Weights, device);
    }

    /// <summary>Everything as it was when a run began: its starting state is the one saved in its folder.</summary>
    public static RunMaterials Restore(RunConfiguration configuration, string initialFolder, Device? device)
    {
        if (configuration.Adapter is null) return Gather(configuration, initialFolder, null, ModelWeights.Pretrained, device);
        var (config, tensors) = AdapterFolder.Read(initialFolder);
        return Gather(configuration, configuration.Model.Path, new AdapterSource(config, tensors, initialFolder), configuration.Model.Weights, device);
    }

    /// <summary>Reads further examples, such as a probe's, as this run's model sees them.</summary>
    /// <param name="task">What the examples are for; null for the run's task.</param>
    public ExampleSet Read(DatasetSection section, string? labelOverride = null, ModelTask? task = null)
    {
        var longest = Math.Min(_configuration.Model.MaxLength ?? Model.MaxPositions, Model.MaxPositions);
        var tokenizer = _tokenizer ?? (section.Ids is null && Model.Folder.TokenizerPath is { } path ? Tokenizer.Load(path) : null);
        return new ExampleReader(task ?? Model.Task, Model.Labels, longest, Model.VocabularySize, Model.Folder.Path, tokenizer).Read(section, labelOverride);
    }

    public void Dispose()
    {
        InitialState.Dispose();
        Model.Dispose();
    }

    private static RunMaterials Gather(RunConfiguration configuration, string modelPath, AdapterSource? adapter, ModelWeights weights, Device? device)
    {
        var (model, initial) = LanguageModelLoader.Load(modelPath, new LanguageModelOptions
        {
            Task = configuration.Model.Task,
            Labels = configuration.Model.Labels,
            Adapter = adapter,
            Weights = weights,
            Seed = configuration.Seed,
            Device = device,
        });
        var materials = new RunMaterials(configuration, model, initial);
        try
        {
            materials.ExampleSets = [.. configuration.Stages.Select(stage => materials.Read(stage.Dataset))];
            materials.Programs = [.. configuration.Stages.Zip(materials.ExampleSets, (stage, set) =>
                StageProgram.Of(stage, new TransformerObjective(model, set.Examples), configuration.Seed))];
            return materials;
        }
        catch
        {
            materials.Dispose();
            throw;
        }
    }

    private static bool NeedsTokenizer(RunConfiguration configuration) => configuration.Stages.Any(stage => stage.Dataset.Ids is null);
}
