using LlmStageAudit.Artifacts.Configuration;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Runs;

/// <summary>A configuration made concrete: the model, where it starts, and the program and examples of every stage. Owns the model.</summary>
public sealed class RunMaterials : IDisposable
{
    private RunMaterials(RunConfiguration configuration, LanguageModel model, Tensor initialState)
    {
        (Model, InitialState) = (model, initialState);
        Reader = new ExampleReader(model, configuration.Model.MaxLength);
    }

    public LanguageModel Model { get; }

    /// <summary>The trainable state before the first stage, [N].</summary>
    public Tensor InitialState { get; }

    /// <summary>Reads data as this run's model sees it.</summary>
    public ExampleReader Reader { get; }

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
            ComputeDtype = configuration.Model.Dtype == ModelDtype.BFloat16 ? bfloat16 : null,
            Device = device,
        });
        var materials = new RunMaterials(configuration, model, initial);
        try
        {
            materials.ExampleSets = [.. configuration.Stages.Select(stage => materials.Reader.Read(stage.Dataset))];
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
}
