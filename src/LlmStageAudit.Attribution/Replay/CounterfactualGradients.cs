using System.Diagnostics;
using LlmStageAudit.Attribution.Observed;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Training;

namespace LlmStageAudit.Attribution.Replay;

/// <summary>
/// Where the gradient of a counterfactual comes from: the only approximation in a replay. With theta the observed and theta'
/// the counterfactual parameters before step t, d = theta - theta', g_t the logged gradient and H_t the Hessian of the
/// batch loss:
/// <code>
/// recorded      g_t
/// linear        g_t - H_t(theta) d
/// midpoint      g_t - H_t(theta - d/2) d
/// sampled(rho)  g_t + g_sub(theta') - g_sub(theta)     sub: a random share rho of the batch
/// exact         the gradient at theta'                 this is retraining
/// </code>
/// </summary>
public abstract class CounterfactualGradients
{
    private protected CounterfactualGradients(GradientSource source, bool needsObserved) =>
        (Name, NeedsObserved) = (source.Name, needsObserved);

    /// <summary>As settings spell the source.</summary>
    public string Name { get; }

    /// <summary>Whether the observed trajectory has to be walked alongside.</summary>
    internal bool NeedsObserved { get; }

    /// <summary>Whether its replay is retraining to the bit, so that the arithmetic of a gradient may not change either.</summary>
    internal virtual bool RepeatsRetraining => false;

    /// <summary>The highest derivative of the loss it takes: 1 for gradients, 2 for Hessian-vector products.</summary>
    internal virtual int Derivative => 1;

    /// <summary>Cost so far in full-batch gradients, as <see cref="GradientCost"/> counts them.</summary>
    public double GradientEquivalents { get; private protected set; }

    /// <summary>Counts on from what an earlier process had spent.</summary>
    internal void Resume(double gradientEquivalents) => GradientEquivalents = gradientEquivalents;

    /// <summary>Gradients from a source, with nothing spent.</summary>
    /// <param name="source">Which.</param>
    /// <param name="seed">Of the sampled share.</param>
    public static CounterfactualGradients From(GradientSource source, long seed) => source switch
    {
        GradientSource.Recorded => new RecordedGradient(source),
        GradientSource.Linear => new CurvatureGradient(source, share: 0),
        GradientSource.Midpoint => new CurvatureGradient(source, share: 0.5),
        GradientSource.Sampled sampled => new SampledGradient(sampled, seed),
        GradientSource.Exact => new ExactGradient(source),
        _ => throw new UnreachableException(),
    };

    /// <summary>
    /// The counterfactual gradients [N], one per state theta' [N], in the current dispose scope; several states go through one pass on the
    /// objective's shared base.
    /// </summary>
    internal abstract IReadOnlyList<Tensor> Gradients(ReplayStep step, IReadOnlyList<Tensor> counterfactualThetas);

    /// <summary>The examples whose losses are computed at the counterfactual states; none where the log is all it takes.</summary>
    internal virtual int[] Examples(ReplayStep step) => step.Step.Batch;

    private sealed class RecordedGradient(GradientSource source) : CounterfactualGradients(source, needsObserved: true)
    {
        internal override IReadOnlyList<Tensor> Gradients(ReplayStep step, IReadOnlyList<Tensor> counterfactualThetas) =>
            [.. counterfactualThetas.Select(_ => step.LoggedGradient)];

        internal override int[] Examples(ReplayStep step) => [];
    }

    /// <summary>linear and midpoint: g_t - H_t(theta - share d) d, with a share of 0, or 1/2 for the midpoint rule.</summary>
    private sealed class CurvatureGradient(GradientSource source, double share) : CounterfactualGradients(source, needsObserved: true)
    {
        internal override int Derivative => 2;

        internal override IReadOnlyList<Tensor> Gradients(ReplayStep step, IReadOnlyList<Tensor> counterfactualThetas)
        {
            var observed = step.ObservedTheta!;
            Tensor[] differences = [.. counterfactualThetas.Select(theta => observed - theta)];
            Tensor[] points = [.. differences.Select(difference => share == 0 ? observed : observed.plus(difference, -share))];
            GradientEquivalents += GradientCost.VectorProducts(1) * points.Length;
            return [.. step.HessianVectorProducts(points, differences).Select(product => step.LoggedGradient - product)];
        }
    }

    private sealed class SampledGradient(GradientSource.Sampled source, long seed) : CounterfactualGradients(source, needsObserved: true)
    {
        internal override bool RepeatsRetraining => source.Rho == 1;

        internal override IReadOnlyList<Tensor> Gradients(ReplayStep step, IReadOnlyList<Tensor> counterfactualThetas)
        {
            var sample = Examples(step);
            var moved = Means(step, counterfactualThetas, sample);
            // The whole batch leaves nothing to control for: what remains is the exact gradient, to the bit.
            if (sample.Length == step.Step.Batch.Length) return moved;
            var observed = step.Shared("sample", () => Means(step, [step.ObservedTheta!], sample)[0]);
            // A state that is the observed one takes the logged gradient as it is: passes of different sizes round differently.
            return [.. moved.Select((mean, i) => counterfactualThetas[i].Equals(step.ObservedTheta!)
                ? step.LoggedGradient
                : step.LoggedGradient.plus(mean - observed))];
        }

        /// <summary>The same examples for every counterfactual, in batch order.</summary>
        internal override int[] Examples(ReplayStep step) =>
            BatchShare.Draw(step.Step.Batch, source.Rho, seed, "sampled", step.Program.Name, step.Step.StageStep);

        private IReadOnlyList<Tensor> Means(ReplayStep step, IReadOnlyList<Tensor> thetas, int[] sample)
        {
            GradientEquivalents += (double)sample.Length / step.Step.Batch.Length * thetas.Count;
            return step.LossesAndGradients(thetas, sample).Gradients;
        }
    }

    private sealed class ExactGradient(GradientSource source) : CounterfactualGradients(source, needsObserved: false)
    {
        internal override bool RepeatsRetraining => true;

        internal override IReadOnlyList<Tensor> Gradients(ReplayStep step, IReadOnlyList<Tensor> counterfactualThetas)
        {
            GradientEquivalents += counterfactualThetas.Count;
            if (counterfactualThetas.Count == 1) return [step.Program.Gradient(step.Step, counterfactualThetas[0]).Gradient];
            var (losses, gradients) = step.LossesAndGradients(counterfactualThetas, step.Step.Batch);
            for (var i = 0; i < gradients.Count; i++)
            {
                Require(step, "loss", losses[i]);
                Require(step, "gradient norm", gradients[i].norm().ToNumber());
            }

            return gradients;
        }

        /// <summary>Retraining fails as training does.</summary>
        private static void Require(ReplayStep step, string what, double value)
        {
            if (!double.IsFinite(value)) throw TrainingException.NotFinite(step.Program.Name, step.Step.StageStep, what, value);
        }
    }
}
