using System.Globalization;
using LlmStageAudit.Artifacts.Randomness;
using LlmStageAudit.Modeling.Objectives;

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
public abstract class GradientSource
{
    private protected GradientSource(string name, bool needsObserved) => (Name, NeedsObserved) = (name, needsObserved);

    public static IReadOnlyList<string> Names { get; } = ["recorded", "linear", "midpoint", "sampled", "exact"];

    public string Name { get; }

    /// <summary>Whether the observed trajectory has to be walked alongside.</summary>
    public bool NeedsObserved { get; }

    /// <summary>Cost so far in full-batch gradients; a Hessian-vector product counts 2.5.</summary>
    public double GradientEquivalents { get; private protected set; }

    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="rho">The share of the batch for sampled, in (0, 1].</param>
    /// <param name="seed">Of the sampled share.</param>
    /// <exception cref="AttributionException">No such source, or rho out of range.</exception>
    public static GradientSource Named(string name, double rho, long seed) => name switch
    {
        "recorded" => new RecordedGradient(),
        "linear" => new CurvatureGradient(name, share: 0),
        "midpoint" => new CurvatureGradient(name, share: 0.5),
        "sampled" when rho is > 0 and <= 1 => new SampledGradient(rho, seed),
        "sampled" => throw AttributionException.BadOption("--rho", rho.ToString(CultureInfo.InvariantCulture), "a share above 0, at most 1"),
        "exact" => new ExactGradient(),
        _ => throw AttributionException.BadOption("--gradient", name, string.Join(", ", Names)),
    };

    /// <summary>The counterfactual gradient [N], in the current dispose scope.</summary>
    /// <param name="counterfactualTheta">theta' [N].</param>
    public abstract Tensor Gradient(ReplayStep step, Tensor counterfactualTheta);

    private sealed class RecordedGradient() : GradientSource("recorded", needsObserved: true)
    {
        public override Tensor Gradient(ReplayStep step, Tensor counterfactualTheta) => step.LoggedGradient;
    }

    /// <param name="share">How far from theta towards theta' the Hessian is taken: 0, or 1/2 for the midpoint rule.</param>
    private sealed class CurvatureGradient(string name, double share) : GradientSource(name, needsObserved: true)
    {
        private const double ProductCost = 2.5;

        public override Tensor Gradient(ReplayStep step, Tensor counterfactualTheta)
        {
            var difference = step.ObservedTheta! - counterfactualTheta;
            var at = share == 0 ? step.ObservedTheta! : step.ObservedTheta!.add(difference, -share);
            var product = step.Program.Objective.HessianVectorProduct(at, step.Step.Batch, difference, step.Program.MicroBatchSize, step.Noise);
            GradientEquivalents += ProductCost;
            return step.LoggedGradient - product;
        }
    }

    private sealed class SampledGradient(double rho, long seed) : GradientSource("sampled", needsObserved: true)
    {
        public override Tensor Gradient(ReplayStep step, Tensor counterfactualTheta)
        {
            var batch = step.Step.Batch;
            var sample = Sample(step, Math.Max(1, (int)Math.Round(rho * batch.Length)));
            var moved = Mean(step, counterfactualTheta, sample);
            // The whole batch leaves nothing to control for: what remains is the exact gradient, to the bit.
            if (sample.Length == batch.Length) return moved;
            return step.LoggedGradient + (moved - step.Shared("sample", () => Mean(step, step.ObservedTheta!, sample)));
        }

        private Tensor Mean(ReplayStep step, Tensor theta, int[] sample)
        {
            GradientEquivalents += (double)sample.Length / step.Step.Batch.Length;
            return step.Program.Objective.LossAndGradient(theta, sample, step.Program.MicroBatchSize, step.Noise).Gradient;
        }

        /// <summary>The same examples for every counterfactual, in batch order.</summary>
        private int[] Sample(ReplayStep step, int size)
        {
            var positions = Enumerable.Range(0, step.Step.Batch.Length).ToArray();
            StableRandom.For(seed, "sampled", step.Program.Name, step.Step.StageStep.ToString(CultureInfo.InvariantCulture)).Shuffle<int>(positions);
            return [.. positions.Take(size).Order().Select(position => step.Step.Batch[position])];
        }
    }

    private sealed class ExactGradient() : GradientSource("exact", needsObserved: false)
    {
        public override Tensor Gradient(ReplayStep step, Tensor counterfactualTheta)
        {
            GradientEquivalents++;
            return step.Program.Gradient(step.Step, counterfactualTheta).Gradient;
        }
    }
}
