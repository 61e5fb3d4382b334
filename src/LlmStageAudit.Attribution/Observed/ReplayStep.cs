using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Observed;

/// <summary>
/// One step of the observed run while counterfactuals are replayed over it: what a gradient source may use. Shared by all
/// counterfactuals; its tensors live in the step's dispose scope.
/// </summary>
internal sealed class ReplayStep(
    StageProgram program, ProgramStep step, Tensor? observedTheta, IStageGradients log, DisposeScope scope)
{
    private readonly Dictionary<string, Tensor> _shared = [];

    public StageProgram Program { get; } = program;

    public ProgramStep Step { get; } = step;

    /// <summary>The step's random numbers, the same for the observed run and every counterfactual.</summary>
    public StepNoise Noise => Program.Noise(Step);

    /// <summary>theta_{t-1} of the observed run [N]; null where the source said it does not need it.</summary>
    public Tensor? ObservedTheta { get; } = observedTheta;

    /// <summary>g_t as logged [N].</summary>
    public Tensor LoggedGradient => Shared("logged", () => log.Gradient(Step));

    /// <summary>The mean losses in nats and the gradients [N] of examples at states; several states go through one pass.</summary>
    public (double[] LossNats, IReadOnlyList<Tensor> Gradients) LossesAndGradients(
        IReadOnlyList<Tensor> thetas, IReadOnlyList<int> examples)
    {
        if (thetas.Count == 1)
        {
            var (loss, gradient) = Program.Objective.LossAndGradient(thetas[0], examples, Program.MicroBatchSize, Noise);
            return ([loss], [gradient]);
        }

        var (losses, gradients) = Variants.LossesAndGradients(stack(thetas), examples, Program.MicroBatchSize, Noise);
        return (losses, Rows(gradients));
    }

    /// <summary>The Hessian of the step's batch loss at states times a vector each, [N]; several go through one pass.</summary>
    public IReadOnlyList<Tensor> HessianVectorProducts(IReadOnlyList<Tensor> thetas, IReadOnlyList<Tensor> vectors) => thetas.Count == 1
        ? [Program.Objective.HessianVectorProduct(thetas[0], Step.Batch, vectors[0], Program.MicroBatchSize, Noise)]
        : Rows(Variants.HessianVectorProducts(stack(thetas), Step.Batch, stack(vectors), Program.MicroBatchSize, Noise));

    /// <summary>Computes a tensor once per step, for all counterfactuals.</summary>
    public Tensor Shared(string name, Func<Tensor> compute)
    {
        if (_shared.TryGetValue(name, out var known)) return known;
        using var inner = NewDisposeScope();
        var made = inner.Detach(compute());
        scope.Attach(made);
        return _shared[name] = made;
    }

    private IVariantObjective Variants => (IVariantObjective)Program.Objective;

    private static Tensor[] Rows(Tensor rows) => [.. Enumerable.Range(0, (int)rows.size(0)).Select(r => rows.narrow(0, r, 1).view(-1))];
}
