using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Estimates;

/// <summary>A stage's program with the work of each of its steps.</summary>
/// <param name="Section">Its settings.</param>
/// <param name="Program">What it runs.</param>
/// <param name="StepTokens">Tokens of each step, padding included, over all its forward passes.</param>
public sealed record StageWork(StageSection Section, StageProgram Program, IReadOnlyList<long> StepTokens)
{
    /// <summary>Steps of stages that agree in this differ by their tokens only.</summary>
    public (int BatchSize, int? MicroBatchSize, OptimizerName Optimizer) Kind =>
        (Section.BatchSize, Section.MicroBatchSize, Section.Optimizer.Name);

    /// <summary>The work of every stage of a run, in order.</summary>
    public static StageWork[] Of(RunConfiguration configuration, RunMaterials materials) =>
    [
        .. configuration.Stages.Index().Select(stage => new StageWork(
            stage.Item,
            materials.Programs[stage.Index],
            [.. materials.Programs[stage.Index].Steps.Select(step =>
                PaddedTokens(step.Batch, stage.Item.MicroBatchSize, materials.ExampleSets[stage.Index].Examples))])),
    ];

    /// <summary>Rows times the longest row, summed over the forward passes of a batch.</summary>
    public static long PaddedTokens(IReadOnlyCollection<int> batch, int? microBatchSize, IReadOnlyList<EncodedExample> examples) =>
        batch.Chunk(microBatchSize ?? batch.Count).Sum(part => (long)part.Length * part.Max(i => examples[i].Ids.Length));
}
