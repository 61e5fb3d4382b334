using System.Text.Json.Serialization;
using LlmStageAudit.Records.Configuration.Yaml;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Configuration;

/// <summary>An optimizer map's hyper-parameters, with PyTorch's meaning.</summary>
public sealed record OptimizerSection
{
    /// <summary>The map that the other values belong to.</summary>
    public required OptimizerName Name { get; init; }

    /// <summary>The schedule's peak.</summary>
    public required double LearningRate { get; init; }

    /// <summary>SGD only.</summary>
    public double Momentum { get; init; }

    /// <summary>Added to the gradient by SGD, decoupled in AdamW.</summary>
    public double WeightDecay { get; init; }

    /// <summary>AdamW only: decay of the mean of gradients, from 0 and below 1.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW only: decay of the mean of squared gradients, from 0 and below 1.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>AdamW only: added to the root of the mean square, above 0.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Largest Euclidean norm of the whole gradient; null: not clipped.</summary>
    public double? ClipNorm { get; init; }
}

/// <summary>The optimizer maps that can be trained with and replayed.</summary>
public enum OptimizerName
{
    /// <summary>Stochastic gradient descent, with momentum where it is not 0.</summary>
    Sgd,

    /// <summary>Adam with decoupled weight decay (Loshchilov and Hutter 2019).</summary>
    [JsonStringEnumMemberName("adamw")]
    AdamW,
}

/// <summary>
/// Reads an optimizer block, a stage's over the run's. A stage that names the run's optimizer, or none, overrides single
/// keys; one that names another starts from that optimizer's defaults.
/// </summary>
internal static class OptimizerSectionReader
{
    private static readonly string[] Keys =
        ["name", "learningRate", "momentum", "weightDecay", "beta1", "beta2", "epsilon", "clipNorm"];

    private static readonly string[] SgdOnly = ["momentum"];
    private static readonly string[] AdamWOnly = ["beta1", "beta2", "epsilon"];

    /// <summary>Takes the place of a faulty block while the rest is read; never returned to a caller.</summary>
    public static OptimizerSection StandIn { get; } = new() { Name = OptimizerName.Sgd, LearningRate = 0 };

    /// <summary>The run's block, or null after a fault that leaves its name unknown.</summary>
    public static OptimizerSection? ReadRun(ConfigurationBlock root)
    {
        var block = root.Block("optimizer", Keys, "a block with name (sgd or adamw) and learningRate");
        if (block is null) return null;
        if (!block.Has("name")) block.Missing("name", "sgd or adamw");
        return Read(block, block.Choice<OptimizerName>("name"), inherited: null);
    }

    /// <summary>Reads a stage's block over the run's.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="run">The run's block; null where it is faulty, and then what it would have given is not missed here.</param>
    public static OptimizerSection ReadStage(ConfigurationBlock stage, OptimizerSection? run)
    {
        var block = stage.Block("optimizer", Keys);
        if (block is null) return run ?? StandIn;
        var name = block.Choice<OptimizerName>("name");
        if (name is null && block.Has("name")) return StandIn;
        return Read(block, name ?? run?.Name, inherited: run) ?? StandIn;
    }

    private static OptimizerSection? Read(ConfigurationBlock block, OptimizerName? name, OptimizerSection? inherited)
    {
        var from = inherited?.Name == name ? inherited : null;
        var learningRate = block.Number("learningRate", value => value >= 0, "a number of at least 0") ?? from?.LearningRate;
        var section = new OptimizerSection
        {
            Name = name ?? default,
            LearningRate = learningRate ?? 0,
            Momentum = block.Number("momentum", IsDecay, "a number from 0 up to but not 1") ?? from?.Momentum ?? 0,
            WeightDecay = block.Number("weightDecay", value => value >= 0, "a number of at least 0") ?? from?.WeightDecay ?? 0,
            Beta1 = block.Number("beta1", IsDecay, "a number from 0 up to but not 1") ?? from?.Beta1 ?? 0.9,
            Beta2 = block.Number("beta2", IsDecay, "a number from 0 up to but not 1") ?? from?.Beta2 ?? 0.999,
            Epsilon = block.Number("epsilon", value => value > 0, "a number above 0") ?? from?.Epsilon ?? 1e-8,
            ClipNorm = block.Number("clipNorm", value => value > 0, "a number above 0")
                ?? (block.IsCleared("clipNorm") ? null : from?.ClipNorm),
        };
        if (name is null) return null;
        if (!block.Has("learningRate") && learningRate is null)
        {
            var isOther = inherited is not null;
            block.Missing("learningRate", isOther ? "a number, as nothing is taken over from another optimizer" : "a number, such as 1e-4");
        }

        CheckForeignKeys(block, name.Value);
        return section;
    }

    private static void CheckForeignKeys(ConfigurationBlock block, OptimizerName name)
    {
        foreach (var key in (name == OptimizerName.Sgd ? AdamWOnly : SgdOnly).Where(block.Has))
        {
            var spelling = EnumSpelling<OptimizerName>.Of(name);
            block.Fault(key, $"not a setting of {spelling}", $"only keys of {spelling}", "remove it, or name the optimizer that has it");
        }
    }

    private static bool IsDecay(double value) => value is >= 0 and < 1;
}
