using System.Text.Json;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Probing.Metrics;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Probing.Tests.Probes;

/// <summary>Probes over the table of <see cref="HandTable"/>, with scores made up and with those of a tiny model.</summary>
public sealed class ProbeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<IDisposable> _owned = [];

    [Fact]
    public void The_gap_of_the_table_worked_out_by_hand()
    {
        var gap = ConfounderGap.Of(Read(), "first");
        // Label 1: (2 - 1) / 2 - (3 + 1) / 2 = -1.5; label 0: (.5 - 2) / 2 - (-.5 + .8) / 2 = -.9.
        var observed = Scores(i => HandTable.Scores[i]);
        Assert.Equal(-1.2, gap.Evaluate(observed), 14);
        // A counterfactual that scores members 1 higher has a gap of -.2: the stage lowered it by 1, for every example alike.
        var counterfactual = Scores(i => HandTable.Scores[i] + (i < 4 ? 1 : 0));
        Assert.Equal(-0.2, gap.Evaluate(counterfactual), 14);
        var effect = gap.Effect(observed, counterfactual, "stage");
        // Two rows in a cell bear no interval.
        Assert.Equal((-1.0, double.NaN, double.NaN), (Math.Round(effect.Estimate, 12), effect.Low, effect.High));
        // What is added to all changes nothing.
        Assert.Equal(-1.2, gap.Evaluate(Scores(i => HandTable.Scores[i] + 7)), 13);
        Assert.Equal(0, gap.Effect(observed, Scores(i => HandTable.Scores[i] + 7), "stage").Estimate, 13);
    }

    [Fact]
    public void A_label_that_one_side_lacks_is_left_out_of_the_gap()
    {
        // All of the second group's negatives and all the rest: labels 0 only on both sides.
        var probe = Read(groups: ["label == 0 and second >= 0.5", "label == 0", "first"]);
        // {.5, -.5} against the background's negatives {-2, .8}.
        Assert.Equal(0 - (-0.6), ConfounderGap.Of(probe, "label == 0 and second >= 0.5").Evaluate(Scores(i => HandTable.Scores[i])), 14);
        var error = Assert.Throws<ProbeException>(() => ConfounderGap.Of(probe, "label == 0"));
        Assert.Contains("has 4 examples in the subgroup and 4 in the background", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "did you mean 'first'?",
            Assert.Throws<ProbeException>(() => ConfounderGap.Of(probe, "fist")).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("subgroup-auc", "first", 0.75)]
    [InlineData("bpsn-auc", "first", 1.0)]
    [InlineData("bnsp-auc", "first", 0.5)]
    [InlineData("subgroup-auc", null, 0.75)] // the least of both groups
    [InlineData("bpsn-auc", null, 0.5)]
    [InlineData("bnsp-auc", "second", 1.0)]
    [InlineData("worst-group-accuracy", null, 0.5)]
    [InlineData("worst-group-accuracy", "second", 0.5)]
    public void Group_metrics_as_performance(string name, string? column, double expected)
    {
        var performance = Read(Metric.Of(name, column)).Performance;
        var observed = Scores(i => HandTable.Scores[i]).Examples;
        Assert.Equal(expected, performance.Evaluate(observed), 14);
        // Against a perfect counterfactual, the effect is what is lacking to 1.
        var effect = performance.Effect(observed, Scores(i => HandTable.Labels[i] == 1 ? 1 : -1).Examples, "stage");
        Assert.Equal(expected - 1, effect.Estimate, 14);
        Assert.True(effect.Low <= effect.Estimate && effect.Estimate <= effect.High);
    }

    [Fact]
    public void The_mean_as_performance_is_observed_minus_counterfactual()
    {
        var performance = Read().Performance;
        Assert.Equal("log-likelihood", performance.Name);
        var (observed, counterfactual) = (Scores(i => 0, value: i => i), Scores(i => 0, value: i => i - 2));
        Assert.Equal(3.5, performance.Evaluate(observed.Examples));
        Assert.Equal((2.0, 2.0, 2.0), Shape(performance.Effect(observed.Examples, counterfactual.Examples, "stage")), Near);
        Assert.Equal("log-likelihood(first)", Read(new Metric.LogLikelihood("first")).Performance.Name);
    }

    [Fact]
    public void A_model_is_scored_as_its_logits_say()
    {
        using var scope = NewDisposeScope();
        var (model, state) = Model();
        var probe = Read();
        var scores = new ProbeEvaluator(model, probe).Evaluate(state);
        var losses = new TransformerObjective(model, probe.Examples);
        for (var i = 0; i < 8; i++)
        {
            // One by one and with the softmax written out; the evaluator batches rows by length.
            var logits = losses.Logits(model.Layout.Split(state), [i]).ToArray<double>();
            Assert.Equal(logits, scores.Examples[i].Logits!, (a, b) => Math.Abs(a - b) < 1e-12);
            var odds = logits[1] - logits[0];
            var label = HandTable.Labels[i];
            Assert.Equal(-Math.Log(1 + Math.Exp(label == 1 ? -odds : odds)), scores.Examples[i].LogLikelihood, 12);
            Assert.Equal(-losses.Loss(state, [i]), scores.Examples[i].Value, 12);
            Assert.Equal(($"row-{i}", label), (scores.Examples[i].Id, scores.Examples[i].Label!.Value));
            Assert.Equal(odds, ProbeEvaluator.PositiveLogOdds(logits), 12);
        }

        Assert.Equal(scores.Examples.Average(example => example.Value), scores.Mean, 14);
        var scored = scores.Examples.Select(
            example => new ScoredExample(example.Logits![1] - example.Logits[0], example.Label == 1)).ToArray();
        Assert.Equal(BinaryMetrics.Of(scored)[MetricNames.Auc], scores.Metrics[MetricNames.Auc]);
        var first = scores.Groups.Single(group => group.Group == "first");
        Assert.Equal(4, first.Examples);
        Assert.Equal(scores.Examples.Take(4).Average(example => example.LogLikelihood), first.Metrics[MetricNames.LogLikelihood], 14);
        Assert.Equal(BinaryMetrics.OfGroup(scored[..4], scored[4..])[MetricNames.BpsnAuc], first.Metrics[MetricNames.BpsnAuc]);
    }

    [Fact]
    public void A_confounder_is_measured_in_place_of_the_label_and_a_margin_in_place_of_the_likelihood()
    {
        using var scope = NewDisposeScope();
        var (model, state) = Model();
        var plain = new ProbeEvaluator(model, Read()).Evaluate(state);
        var confounder = new ProbeEvaluator(model, Read(new Metric.LogLikelihood("first >= 0.5"))).Evaluate(state);
        var margin = new ProbeEvaluator(model, Read(new Metric.Margin())).Evaluate(state);
        for (var i = 0; i < 8; i++)
        {
            var odds = plain.Examples[i].Logits![1] - plain.Examples[i].Logits![0];
            Assert.Equal(plain.Examples[i].LogLikelihood, confounder.Examples[i].LogLikelihood);
            Assert.Equal(-Math.Log(1 + Math.Exp(i < 4 ? -odds : odds)), confounder.Examples[i].Value, 12);
            Assert.Equal(HandTable.Labels[i] == 1 ? odds : -odds, margin.Examples[i].Value, 12);
        }
    }

    /// <summary>The formula stands there twice: what is reported and what is differentiated.</summary>
    [Fact]
    public void Every_metric_of_examples_is_the_same_number_and_tensor_and_no_two_are_the_same()
    {
        using var scope = NewDisposeScope();
        var (model, state) = Model(labels: 3);
        var parameters = model.Layout.Split(state);
        var values = new List<double[]>();
        foreach (var metric in Metric.Names.Select(name => Metric.Of(name)).Where(metric => !metric.IsOfGroups))
        {
            var probe = Read(metric, labels: 3);
            double[] numbers = [.. new ProbeEvaluator(model, probe).Evaluate(state).Examples.Select(example => example.Value)];
            var losses = new ProbeObjective(model, probe, ProbeReading.Performance).Losses(parameters, [.. Enumerable.Range(0, 8)]);
            Assert.Equal(numbers, losses.to(float64).ToArray<double>().Select(loss => -loss), (a, b) => Math.Abs(a - b) < 1e-5);
            Assert.All(values, other => Assert.NotEqual(other, numbers));
            values.Add(numbers);
        }

        Assert.True(values.Count >= 2);
    }

    [Fact]
    public void A_part_is_run_as_the_whole_is_whatever_the_metric()
    {
        using var scope = NewDisposeScope();
        var (model, state) = Model();
        foreach (var metric in new Metric[] { new Metric.LogLikelihood("first >= 0.5"), new Metric.BpsnAuc() })
        {
            var whole = new ProbeEvaluator(model, Read(metric)).Evaluate(state);
            var part = new ProbeEvaluator(model, Read(metric).Part([6, 1])).Evaluate(state);
            Assert.Equal(["row-6", "row-1"], part.Examples.Select(example => example.Id));
            Assert.Equal([whole.Examples[6].Value, whole.Examples[1].Value], part.Examples.Select(example => example.Value), Near);
            Assert.Empty(part.Groups);
        }

        bool Near(double a, double b) => Math.Abs(a - b) < 1e-12;
    }

    [Fact]
    public void With_more_classes_every_class_above_0_counts_as_positive()
    {
        // log((e^1 + e^2) / e^0.5)
        Assert.Equal(Math.Log(Math.Exp(1) + Math.Exp(2)) - 0.5, ProbeEvaluator.PositiveLogOdds([0.5, 1, 2]), 14);
        Assert.Equal(1000, ProbeEvaluator.PositiveLogOdds([0, 1000]), 12);
        Assert.Equal(-2000, ProbeEvaluator.PositiveLogOdds([1000, -1000]), 12);
    }

    [Fact]
    public void Likelihoods_of_texts_are_sums_over_their_predicted_tokens()
    {
        using var scope = NewDisposeScope();
        var (model, state) = Model(ModelTask.CausalLm);
        var probe = Read(task: ModelTask.CausalLm);
        var scores = new ProbeEvaluator(model, probe).Evaluate(state);
        var objective = new TransformerObjective(model, probe.Examples);
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(-objective.Loss(state, [i]) * (probe.Examples[i].Ids.Length - 1), scores.Examples[i].LogLikelihood, 11);
            Assert.Null(scores.Examples[i].Logits);
        }

        Assert.Equal(
            scores.Examples.Take(4).Average(example => example.LogLikelihood), scores.Groups[0].Metrics[MetricNames.LogLikelihood], 12);
    }

    [Fact]
    public void Probes_that_do_not_fit_the_model_are_refused()
    {
        Assert.Throws<ProbeException>(() => Read(task: ModelTask.CausalLm, probeTask: ModelTask.SequenceClassification));
        Assert.Throws<ProbeException>(() => Read(new Metric.Margin(), task: ModelTask.CausalLm));
        Assert.Throws<ProbeException>(() => Read(new Metric.BpsnAuc(), labels: 3));
        Assert.Throws<ProbeException>(() => Read(new Metric.BpsnAuc("third")));
    }

    [Fact]
    public void Live_tensors_return_to_their_count()
    {
        var (model, state) = Model();
        var probe = Read();
        LiveTensors.ReturnToTheirCount(() => new ProbeEvaluator(model, probe).Evaluate(state));
    }

    public void Dispose()
    {
        foreach (var owned in _owned) owned.Dispose();
        _folder.Dispose();
    }

    /// <summary>Logits whose log-odds are the score.</summary>
    private static ProbeScores Scores(Func<int, double> score, Func<int, double>? value = null) => new()
    {
        Mean = 0,
        Examples = [.. Enumerable.Range(0, 8).Select(i => new ExampleScore
        {
            Id = $"row-{i}",
            Value = value?.Invoke(i) ?? 0,
            LogLikelihood = 0,
            Logits = [0.5, 0.5 + score(i)],
            Label = HandTable.Labels[i],
        })],
    };

    private (LanguageModel Model, Tensor State) Model(ModelTask task = ModelTask.SequenceClassification, int labels = 2)
    {
        var (model, state) = TinyModel.Load(TinyModel.Write(_folder), task, labels: labels);
        _owned.Add(model);
        _owned.Add(state);
        return (model, state);
    }

    private Probe Read(
        Metric? metric = null,
        string[]? groups = null,
        ModelTask task = ModelTask.SequenceClassification,
        ModelTask? probeTask = null,
        int labels = 2)
    {
        var rows = Enumerable.Range(0, 8).Select(i => JsonSerializer.Serialize(new
        {
            id = $"row-{i}",
            ids = Enumerable.Range(1, 2 + ((i * 5) % 7)).Select(t => t * (i + 3) % 49), // of several lengths, in no order
            label = HandTable.Labels[i],
            first = HandTable.First.Contains(i) ? 1 : 0,
            second = HandTable.Second.Contains(i) ? 1 : 0,
        }));
        var configuration = new ProbeConfiguration
        {
            Name = "probe",
            Path = _folder.At("probe.yaml"),
            Dataset = new DatasetSection
            {
                Path = _folder.Write("probe.jsonl", string.Join('\n', rows)),
                Ids = "ids",
                Groups = [.. (groups ?? ["first", "second"]).Select(name => new GroupSection(name, name))],
            },
            Metric = metric ?? new Metric.LogLikelihood(),
            Task = probeTask,
        };
        var (model, _) = Model(task, labels);
        return Probe.Read(configuration, model, new ExampleReader(model, null));
    }

    private static (double Estimate, double Low, double High) Shape(Probing.Statistics.BootstrapResult result) =>
        (result.Estimate, result.Low, result.High);

    private static bool Near((double, double, double) a, (double, double, double) b) =>
        Math.Abs(a.Item1 - b.Item1) < 1e-12 && Math.Abs(a.Item2 - b.Item2) < 1e-12 && Math.Abs(a.Item3 - b.Item3) < 1e-12;
}
