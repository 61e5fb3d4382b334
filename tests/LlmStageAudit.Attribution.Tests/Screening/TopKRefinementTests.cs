using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Attribution.Tests.Screening;

/// <summary>Settling from the top, where the truth, the screen's noise and the probe's are known.</summary>
public sealed class TopKRefinementTests
{
    private const int Draws = 200;

    /// <summary>
    /// Effects with a standard deviation of 1 over candidates of falling cost; the screen is off by noise, by noise that grows
    /// with the steps that follow, or by a common shift; the probe holds a sample of examples. Of the heads called certain, as many
    /// are the true ones as was promised.
    /// </summary>
    [Theory]
    [InlineData(0.03, 0, 0, 1, 0.3)]
    [InlineData(0.1, 0, 0, 1, 0.1)]
    [InlineData(0.4, 0, 0, 1, 0)]
    [InlineData(1.5, 0, 0, 1, 0)]
    [InlineData(0, 0.03, 0, 1, 0.3)]
    [InlineData(0, 0.3, 0, 1, 0)]
    [InlineData(0.03, 0, 0.3, 1, 0.02)]
    [InlineData(0.05, 0, 0, 3, 0.1)]
    public void The_certified_head_is_right_as_often_as_promised(double noise, double growing, double shift, int top, double leastCertain)
    {
        const double confidence = 0.9;
        const int runs = 500;
        var (certain, right, unsettledLeft) = (0, 0, 0);
        for (var run = 0; run < runs; run++)
        {
            var world = new World(run, candidates: 20, noise, growing, shift, probeError: 0.05);
            var order = run % 2 == 0 ? TopKOrder.Magnitude : TopKOrder.Highest;
            var certificate = new TopKCertificate(confidence, top, order);
            var (settled, finding) = new TopKRefinement(certificate, top).Run(world.Screened, budget: 120, world.Settle);
            Assert.True(world.Spent <= 120);
            Assert.Equal(world.Settled.Order(), Enumerable.Range(0, 20).Where(i => settled[i] is not null));
            if (!finding.IsCertain) continue;
            certain++;
            if (settled.Contains(null)) unsettledLeft++;
            var truth = Enumerable.Range(0, 20).OrderByDescending(i => certificate.Height(world.Truth[i])).Take(top).Order();
            if (finding.Head.Order().SequenceEqual(truth)) right++;
        }

        Assert.True(certain >= leastCertain * runs, $"only {certain} of {runs} were certain");
        Assert.True(leastCertain == 0 || unsettledLeft > 0.5 * certain, "everything was settled");
        // Fewer by chance than one in a thousand times if the share were the promised one.
        var allowed = certain * (1 - confidence);
        Assert.True(
            certain - right <= allowed + (3.1 * Math.Sqrt(allowed)) + 1e-9, $"{certain - right} of {certain} certain heads were wrong");
    }

    [Fact]
    public void What_costs_nothing_is_settled_first_and_alone_where_the_budget_is_nothing()
    {
        var world = new World(1, candidates: 6, 0.1, 0, 0, 0.05);
        var certificate = new TopKCertificate(0.95, 1, TopKOrder.Highest);
        var (settled, finding) = new TopKRefinement(certificate, 1).Run(world.Screened, 0, world.Settle);
        Assert.Equal([5], world.Settled);
        Assert.Equal(0, world.Spent);
        Assert.False(finding.IsCertain);
        Assert.Equal(5, settled.Count(effect => effect is null));
        Assert.Equal([0, 1, 2, 3, 4], finding.Open.Order());
    }

    [Fact]
    public void A_budget_for_everything_settles_what_the_screen_leaves_open()
    {
        // A screen whose errors are as large as its scores decides nothing.
        var world = new World(3, candidates: 8, noise: 2, 0, 0, probeError: 0.001);
        var certificate = new TopKCertificate(0.95, 1, TopKOrder.Highest);
        var (settled, finding) = new TopKRefinement(certificate, 1).Run(world.Screened, 1000, world.Settle);
        Assert.All(settled, Assert.NotNull);
        Assert.True(finding.IsCertain);
        Assert.Equal(Array.IndexOf(world.Truth, world.Truth.Max()), finding.Head[0]);
    }

    [Fact]
    public void The_same_world_is_settled_the_same_way()
    {
        var rounds = Enumerable.Range(0, 2).Select(_ =>
        {
            var world = new World(7, candidates: 20, 0.2, 0, 0, 0.05);
            new TopKRefinement(new TopKCertificate(0.95, 1, TopKOrder.Highest), 1).Run(world.Screened, 100, world.Settle);
            return world.Settled.ToArray();
        }).ToArray();
        Assert.Equal(rounds[0], rounds[1]);
    }

    private sealed class World
    {
        private readonly double[] _onProbe;
        private readonly double[][] _draws;

        public World(int seed, int candidates, double noise, double growing, double shift, double probeError)
        {
            var random = StableRandom.For(seed, "world");
            Truth = [.. Enumerable.Range(0, candidates).Select(_ => random.NextNormal())];
            _onProbe = [.. Truth.Select(effect => effect + (probeError * random.NextNormal()))];
            double Drawn(double effect) => effect + (probeError * random.NextNormal());
            _draws = [.. _onProbe.Select(effect => Enumerable.Range(0, Draws).Select(_ => Drawn(effect)).ToArray())];
            var common = shift * random.NextNormal();
            Screened = [.. _onProbe.Select((effect, i) =>
            {
                var cost = candidates - 1.0 - i;
                var error = cost == 0 ? 0 : common + ((noise + (growing * Math.Sqrt(cost))) * random.NextNormal());
                return new ScreenedCandidate($"{i}", cost, effect + error);
            })];
        }

        public double[] Truth { get; }

        public IReadOnlyList<ScreenedCandidate> Screened { get; }

        public List<int> Settled { get; } = [];

        public double Spent => Settled.Sum(i => Screened[i].ExactCost);

        public IReadOnlyList<SettledEffect> Settle(IReadOnlyList<int> round)
        {
            Assert.Equal(round.Order(), round);
            Assert.Empty(round.Intersect(Settled));
            Settled.AddRange(round);
            return [.. round.Select(i => new SettledEffect(_onProbe[i], _draws[i]))];
        }
    }
}
