using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Baselines;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Attribution.Tests.Baselines;

/// <summary>Each estimator against its formula written out over plain arrays, with matrices from differences of gradients.</summary>
public sealed class BaselineTests : IDisposable
{
    private const int N = SmallRun.Parameters;
    private readonly RetrainableTrajectory _run = SmallRun.Train(SmallRun.Sgd, cubic: 0.3);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Aa_score_sends_every_update_through_all_later_steps(int left) =>
        Vectors.Close(AaScore(left, Hessian), Run(left, question => Score(CurvatureProduct.Full(), question)), 1e-7);

    /// <summary>The objective has two layers, of one parameter and of six.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Layer_wise_aa_score_drops_the_curvature_between_layers(int left)
    {
        var found = Run(left, question => Score(CurvatureProduct.Layerwise(), question));
        Vectors.Close(AaScore(left, (step, theta) => Blocks(Hessian(step, theta))), found, 1e-7);
        Assert.True(Vectors.RelativeDistance(AaScore(left, Hessian), found) > 1e-3);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Dvemb_takes_the_run_for_plain_sgd_with_outer_products_for_curvature(int left) =>
        Vectors.Close(
            Plain(left, OuterProduct),
            Run(left, question => new PlainSgdPropagation(_run, CurvatureProduct.OuterProduct()).Run([question], null, default)[0]),
            1e-10);

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Tracin_adds_up_gradients_times_rates(int left) =>
        Vectors.Close(
            Plain(left, (_, _) => new double[N, N]),
            Run(left, question => new PlainSgdPropagation(_run, null).Run([question], null, default)[0]),
            1e-12);

    public void Dispose() => _run.Dispose();

    private static double[] Run(int left, Func<Counterfactual, Tensor> estimate)
    {
        using var scope = NewDisposeScope();
        return estimate(Counterfactual.WithoutStage("left out", left)).ToArray<double>();
    }

    private Tensor Score(CurvatureProduct curvature, Counterfactual question) =>
        new ForwardPropagation(_run, curvature, 0).Run([question], eachAlone: true, null, default)[0];

    /// <summary>sum over t in the stage of P_T .. P_{t+1} (s_t - s_{t-1}), each product formed by itself.</summary>
    private double[] AaScore(int left, Func<Update, double[], double[,]> curvature)
    {
        var (mu, w) = (SmallRun.Sgd.Momentum, SmallRun.Sgd.WeightDecay);
        var updates = Updates();
        var sum = new double[N];
        for (var t = 0; t < updates.Count; t++)
        {
            if (updates[t].Stage != left) continue;
            var (dTheta, dVelocity) =
                (Less(updates[t].Theta, updates[t].ThetaBefore), Less(updates[t].Velocity, updates[t].VelocityBefore));
            for (var later = t + 1; later < updates.Count; later++)
            {
                if (updates[later].Stage != updates[later - 1].Stage) dVelocity = new double[N];
                var product = Times(curvature(updates[later], updates[later].ThetaBefore), dTheta);
                dVelocity = [.. Enumerable.Range(0, N).Select(i => (mu * dVelocity[i]) + product[i] + (w * dTheta[i]))];
                dTheta = [.. Enumerable.Range(0, N).Select(i => dTheta[i] - (updates[later].Rate * dVelocity[i]))];
            }

            for (var i = 0; i < N; i++) sum[i] += dTheta[i];
        }

        return sum;
    }

    /// <summary>-sum over t in the stage of lr_t (I - lr_T C_T) .. (I - lr_{t+1} C_{t+1}) g_t.</summary>
    private double[] Plain(int left, Func<Update, double[], double[,]> curvature)
    {
        var updates = Updates();
        var sum = new double[N];
        for (var t = 0; t < updates.Count; t++)
        {
            if (updates[t].Stage != left) continue;
            var change = Gradient(updates[t], updates[t].ThetaBefore).Select(g => -updates[t].Rate * g).ToArray();
            foreach (var later in updates.Skip(t + 1))
                change = Less(change, [.. Times(curvature(later, later.ThetaBefore), change).Select(value => later.Rate * value)]);
            for (var i = 0; i < N; i++) sum[i] += change[i];
        }

        return sum;
    }

    /// <summary>The run once more, by plain arithmetic.</summary>
    private List<Update> Updates()
    {
        var updates = new List<Update>();
        var theta = Vectors.Normal(N, 1, 0.3);
        for (var stage = 0; stage < _run.Programs.Count; stage++)
        {
            var program = _run.Programs[stage];
            var plain = new PlainOptimizer(SmallRun.Sgd, theta);
            var velocity = new double[N];
            foreach (var step in program.Steps)
            {
                var update = new Update(stage, program.Objective, step.Batch, step.LearningRate, [.. plain.Theta], velocity, [], []);
                plain.Step(Gradient(update, plain.Theta), step.LearningRate);
                velocity = [.. plain.Buffers[0]];
                updates.Add(update with { Theta = [.. plain.Theta], Velocity = velocity });
            }

            theta = plain.Theta;
        }

        return updates;
    }

    private static double[] Gradient(Update update, double[] theta, int? example = null)
    {
        using var scope = NewDisposeScope();
        return update.Objective.LossAndGradient(TensorMemory.Of(theta), example is { } one ? [one] : update.Batch).Gradient.ToArray<double>();
    }

    /// <summary>Central differences of the gradient.</summary>
    private static double[,] Hessian(Update update, double[] theta)
    {
        const double h = 1e-5;
        var matrix = new double[N, N];
        for (var j = 0; j < N; j++)
        {
            double[] Moved(double by) => [.. theta.Select((value, i) => i == j ? value + by : value)];
            var column = Less(Gradient(update, Moved(h)), Gradient(update, Moved(-h)));
            for (var i = 0; i < N; i++) matrix[i, j] = column[i] / (2 * h);
        }

        return matrix;
    }

    private static double[,] Blocks(double[,] matrix)
    {
        for (var i = 1; i < N; i++) matrix[0, i] = matrix[i, 0] = 0;
        return matrix;
    }

    private static double[,] OuterProduct(Update update, double[] theta)
    {
        var matrix = new double[N, N];
        foreach (var gradient in update.Batch.Select(example => Gradient(update, theta, example)))
        {
            for (var i = 0; i < N; i++)
            {
                for (var j = 0; j < N; j++) matrix[i, j] += gradient[i] * gradient[j] / update.Batch.Length;
            }
        }

        return matrix;
    }

    private static double[] Times(double[,] matrix, double[] vector) =>
        [.. Enumerable.Range(0, N).Select(i => Enumerable.Range(0, N).Sum(j => matrix[i, j] * vector[j]))];

    private static double[] Less(double[] one, double[] other) => [.. one.Zip(other, (a, b) => a - b)];

    private sealed record Update(
        int Stage,
        IObjective Objective,
        int[] Batch,
        double Rate,
        double[] ThetaBefore,
        double[] VelocityBefore,
        double[] Theta,
        double[] Velocity);
}
