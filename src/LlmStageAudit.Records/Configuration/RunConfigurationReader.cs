using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration.Yaml;

namespace LlmStageAudit.Records.Configuration;

/// <summary>YAML run configuration to <see cref="RunConfiguration"/>, strict, with every fault reported at once.</summary>
public static class RunConfigurationReader
{
    private static readonly string[] Keys =
    [
        "model", "adapter", "optimizer", "schedule", "seed", "stages", "probes", "trajectory",
        "epochs", "batchSize", "microBatchSize", "shuffle",
    ];

    private static readonly string[] ModelKeys = ["path", "task", "labels", "maxLength", "weights", "seed", "dtype"];
    private static readonly string[] AdapterKeys =
        ["recipe", "initFrom", "r", "alpha", "rslora", "dropout", "targetModules", "modulesToSave"];
    private static readonly string[] TrajectoryKeys = ["gradients"];

    /// <summary>Reads a run's file with overrides over it.</summary>
    /// <param name="path">The YAML file; relative paths in it, and in overrides, are relative to its folder.</param>
    /// <param name="overrides">Each <c>a.b=c</c>, the value in YAML; a stage is named by name or by index from 0.</param>
    /// <exception cref="ConfigurationException">Everything that is wrong, one line per fault: path, line, key, found, expected.</exception>
    public static RunConfiguration Read(string path, IReadOnlyList<string> overrides)
    {
        var faults = new FaultList();
        var root = RootMapping(path, Keys, overrides, faults);
        var configuration = ReadRoot(new ConfigurationBlock(root, "", Keys, faults), Path.GetDirectoryName(Path.GetFullPath(path))!);
        faults.ThrowIfAny();
        return configuration;
    }

    internal static MappingNode RootMapping(string path, IReadOnlyList<string> keys, IReadOnlyList<string> overrides, FaultList faults)
    {
        var node = ConfigurationText.ReadFile(path, faults);
        if (node is not MappingNode root)
        {
            faults.ThrowIfAny();
            var found = node is null or ScalarNode { IsNull: true } ? "no configuration" : node.Description;
            throw ConfigurationException.At(path, found, $"the keys {string.Join(", ", keys)}");
        }

        ConfigurationAlias.Apply(root, faults);
        foreach (var text in overrides)
        {
            ConfigurationOverride.Apply(root, text, faults);
            ConfigurationAlias.Apply(root, faults);
        }

        return root;
    }

    private static RunConfiguration ReadRoot(ConfigurationBlock root, string folder)
    {
        var model = ReadModel(root, folder);
        var optimizer = OptimizerSectionReader.ReadRun(root);
        var schedule = ScheduleSectionReader.Read(root, new ScheduleSection());
        var seed = root.Integer("seed", long.MinValue, long.MaxValue, "a whole number") ?? 0;
        return new RunConfiguration
        {
            Model = model,
            Adapter = ReadAdapter(root, folder),
            Optimizer = optimizer ?? OptimizerSectionReader.StandIn,
            Schedule = schedule,
            Seed = seed,
            Stages = new StageSectionReader(root, folder, model.Task, seed, optimizer, schedule).ReadAll(),
            Probes = root.FilePaths("probes", folder),
            Trajectory = new TrajectorySection { Gradients = root.Block("trajectory", TrajectoryKeys)?.Flag("gradients") ?? true },
        };
    }

    private static ModelSection ReadModel(ConfigurationBlock root, string folder)
    {
        var block = root.Block("model", ModelKeys, "a block with path and task");
        if (block is null) return new ModelSection { Path = folder, Task = ModelTask.SequenceClassification };
        if (!block.Has("path")) block.Missing("path", "the model's folder");
        if (!block.Has("task")) block.Missing("task", "sequence-classification or causal-lm");
        return new ModelSection
        {
            Path = block.FilePath("path", folder) ?? folder,
            Task = block.Choice<ModelTask>("task") ?? ModelTask.SequenceClassification,
            Labels = (int?)block.Integer("labels", 2, 100_000, "a whole number of classes from 2 to 100000") ?? 2,
            MaxLength = block.Count("maxLength", "tokens", 1 << 20),
            Weights = block.Choice<ModelWeights>("weights") ?? ModelWeights.Pretrained,
            Seed = block.Integer("seed", long.MinValue, long.MaxValue, "a whole number"),
            Dtype = block.Choice<ModelDtype>("dtype") ?? ModelDtype.Float32,
        };
    }

    // Training all parameters costs so much more that it is never what an absent block means.
    private static AdapterSection? ReadAdapter(ConfigurationBlock root, string folder)
    {
        const string expected = "a block such as { r: 8, alpha: 8 }, or none to train all parameters";
        var node = root.Node("adapter");
        if (node is ScalarNode { Text: "none" }) return null;
        if (node is not MappingNode)
        {
            root.Fault("adapter", node?.Description ?? "missing", expected);
            return null;
        }

        var block = root.Block("adapter", AdapterKeys)!;
        return new AdapterSection
        {
            Recipe = block.FilePath("recipe", folder),
            InitFrom = block.FilePath("initFrom", folder),
            Rank = block.Count("r", "dimensions", 1 << 16),
            Alpha = block.Number("alpha", value => value > 0, "a number above 0"),
            UseRslora = block.Flag("rslora"),
            Dropout = block.Number("dropout", value => value is >= 0 and < 1, "a probability from 0 up to but not 1"),
            TargetModules = block.TextList("targetModules"),
            ModulesToSave = block.TextList("modulesToSave"),
        };
    }
}
