using System.Diagnostics;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Runs;

/// <summary>
/// A configuration made concrete: the model, where it starts, and the program and examples of every stage. Owns the model.
/// </summary>
public sealed class RunMaterials : IDisposable
{
    private RunMaterials(RunConfiguration configuration, LanguageModel model, Tensor initialState)
    {
        (Configuration, Model, InitialState) = (configuration, model, initialState);
        Reader = new ExampleReader(model, configuration.Model.MaxLength);
    }

    /// <summary>What it is made of.</summary>
    public RunConfiguration Configuration { get; }

    /// <summary>The model; disposed with the materials.</summary>
    public LanguageModel Model { get; }

    /// <summary>The trainable state before the first stage, [N].</summary>
    public Tensor InitialState { get; }

    /// <summary>Reads data as this run's model sees it.</summary>
    public ExampleReader Reader { get; }

    /// <summary>What each stage runs, in order.</summary>
    public IReadOnlyList<StageProgram> Programs { get; private set; } = [];

    /// <summary>The examples of each stage, in the same order.</summary>
    public IReadOnlyList<ExampleSet> ExampleSets { get; private set; } = [];

    /// <summary>What loading the model took.</summary>
    public double ModelSeconds { get; private init; }

    /// <summary>What reading and tokenizing each stage's data took.</summary>
    public IReadOnlyList<double> ReadSeconds { get; private set; } = [];

    /// <summary>Everything as the configuration says.</summary>
    /// <param name="configuration">The run's.</param>
    /// <param name="device">Where to compute.</param>
    public static RunMaterials Gather(RunConfiguration configuration, Device? device) =>
        Gather(configuration, configuration.Model.Path, Adapter(configuration), configuration.Model.Weights, device);

    /// <summary>What the model would hold once loaded, told without loading it.</summary>
    internal static ModelFootprint Footprint(RunConfiguration configuration) => LanguageModelLoader.Footprint(
        configuration.Model.Path, Options(configuration, Adapter(configuration), configuration.Model.Weights, device: null));

    /// <summary>Everything as it was when a run began: its starting state is the one saved in its folder.</summary>
    public static RunMaterials Restore(RunConfiguration configuration, string initialFolder, Device? device)
    {
        if (configuration.Adapter is null) return Gather(configuration, initialFolder, null, ModelWeights.Pretrained, device);
        var (config, tensors) = AdapterFolder.Read(initialFolder);
        return Gather(
            configuration, configuration.Model.Path, new AdapterSource(config, tensors, initialFolder),
            configuration.Model.Weights, device);
    }

    /// <summary>Other stages of the same model and start, which stay these materials': the result is not to be disposed.</summary>
    /// <param name="configuration">With the other stages.</param>
    /// <param name="programs">What each runs, in order.</param>
    /// <param name="exampleSets">The examples of each.</param>
    public RunMaterials With(
        RunConfiguration configuration, IReadOnlyList<StageProgram> programs, IReadOnlyList<ExampleSet> exampleSets) =>
        new(configuration, Model, InitialState) { Programs = programs, ExampleSets = exampleSets };

    /// <summary>The same without a stage and those before it, at whose place a counterfactual begins: not to be disposed.</summary>
    internal RunMaterials After(int stage) => With(
        Configuration with { Stages = [.. Configuration.Stages.Skip(stage + 1)] },
        [.. Programs.Skip(stage + 1)],
        [.. ExampleSets.Skip(stage + 1)]);

    /// <summary>The number in the run of a stage's first step, from 1.</summary>
    internal int FirstStep(int stage) => 1 + Programs.Take(stage).Sum(program => program.Steps.Count);

    /// <summary>The trainable state [N] before a stage, saved by a run of these materials, in the current dispose scope.</summary>
    internal Tensor StateBefore(int stage, RunFolder folder) => stage == 0
        ? InitialState.clone()
        : StateFolder.Read(folder.StageStateFolder(stage - 1, Programs[stage - 1].Name), Model);

    /// <inheritdoc/>
    public void Dispose()
    {
        InitialState.Dispose();
        Model.Dispose();
    }

    private static AdapterSource? Adapter(RunConfiguration configuration) =>
        configuration.Adapter is { } section ? AdapterResolver.Resolve(section, configuration.Model.Task) : null;

    private static LanguageModelOptions Options(
        RunConfiguration configuration, AdapterSource? adapter, ModelWeights weights, Device? device) => new()
        {
            Task = configuration.Model.Task,
            Labels = configuration.Model.Labels,
            Adapter = adapter,
            Weights = weights,
            Seed = configuration.Seed,
            BaseSeed = configuration.Model.Seed ?? configuration.Seed,
            ComputeDtype = configuration.Model.Dtype == ModelDtype.BFloat16 ? bfloat16 : null,
            Device = device,
        };

    private static RunMaterials Gather(
        RunConfiguration configuration, string modelPath, AdapterSource? adapter, ModelWeights weights, Device? device)
    {
        var watch = Stopwatch.StartNew();
        var (model, initial) = LanguageModelLoader.Load(modelPath, Options(configuration, adapter, weights, device));
        // A cache of the model hub may have another snapshot tomorrow; the run is of this one.
        if (modelPath == configuration.Model.Path)
            configuration = configuration with { Model = configuration.Model with { Path = model.Folder.Path } };
        var materials = new RunMaterials(configuration, model, initial) { ModelSeconds = watch.Elapsed.TotalSeconds };
        try
        {
            var seconds = new List<double>();
            materials.ExampleSets = [.. configuration.Stages.Select(stage =>
            {
                watch.Restart();
                var set = materials.Reader.Read(stage.Dataset);
                seconds.Add(watch.Elapsed.TotalSeconds);
                return set;
            })];
            materials.ReadSeconds = seconds;
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
