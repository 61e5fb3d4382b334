using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>The answer in one sentence with its sign and interval, and what qualifies it.</summary>
internal static class AnswerSection
{
    private const int OtherAnswers = 4;

    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        if (findings.Primary is not { } primary)
        {
            page.Paragraph("Not answered yet: no effects were estimated for this run. This estimates them:", "answer");
            page.Commands(findings.AttributeCommand);
            return;
        }

        page.Open("p", ("class", primary.Top switch
        {
            { IsDistinguishable: true, Estimate: > 0 } => "answer is-raised",
            { IsDistinguishable: true } => "answer is-lowered",
            _ => "answer",
        }));
        WriteAnswer(page, primary, ".");
        if (primary.Top is { } top) WriteQualification(page, primary, top);
        var rankings = findings.Rankings.DistinctBy(ranking => (ranking.Confounder, ranking.Probe.Path));
        foreach (var ranking in rankings) WriteRanking(page, ranking);
        var others = findings.Answers.Skip(1).ToArray();
        foreach (var other in others.Take(OtherAnswers))
        {
            page.Open("p").Text($"Probe {other.Artifact.Probe.Name}: ");
            WriteAnswer(page, other, $"; trust: {other.Top?.Trust}.");
        }

        if (others.Length > OtherAnswers) page.Paragraph("Further probes are below.", "quiet");
    }

    // The rest of an open paragraph.
    private static void WriteAnswer(MarkupWriter page, EffectFinding finding, string end)
    {
        var metric = finding.Artifact.Metric;
        if (finding.Top is not { } top)
        {
            page.Text($"No {finding.Noun} has an effect on {metric} that could be computed.").Close();
            return;
        }

        var size = NumberText.Signed(top.Estimate) + MetricText.Suffix(metric);
        var interval = top.HasInterval
            ? $" (interval {NumberText.Interval(top.Effect.Low, top.Effect.High)})"
            : " (the mean over the probe alone, without an interval)";
        if (!top.IsDistinguishable && (top.HasInterval || top.Estimate == 0))
        {
            page.Text($"No {finding.Noun} changed {metric} distinguishably from zero: the largest estimate is ");
            page.Text($"{size:strong}{interval}, of {top.Label:strong}{end}").Close();
            return;
        }

        var (which, changed) = (finding.Noun == "stage" ? "Stage" : $"Of all {finding.Plural},", top.Estimate > 0 ? "raised" : "lowered");
        page.Text($"{which} {top.Label:strong} {changed} {metric} most: ");
        page.Element("strong", size, ("class", "figure")).Text(interval + end).Close();
    }

    private static void WriteQualification(MarkupWriter page, EffectFinding finding, StageFinding top)
    {
        var unit = MetricText.Suffix(finding.Artifact.Metric);
        page.Open("p");
        if (top.HasInterval) page.Text(top.ExcludesZero ? "Its interval excludes zero. " : "Its interval includes zero. ");
        if (top.Standing.Retrained is { } retrained)
        {
            page.Text($"Retraining without it measured {NumberText.Signed(retrained.Measured):strong}{unit} on ");
            page.Text(NumberText.Count(retrained.Examples, "probe row"));
            var isSame = top.Standing.VerifiedWith is not null && retrained.BitIdentical == true;
            page.Text(isSame ? ", with parameters equal to the replayed ones bit for bit. " : ". ");
        }
        else
        {
            page.Text("It has not been retrained without. ");
        }

        var reason = top.Reason is { Length: > 0 } because ? $", since {because}" : string.Empty;
        page.Text($"Trust: {top.Trust:strong}{reason}. ");
        if (finding.Opposite is { } opposite)
        {
            page.Text($"What {(opposite.Estimate > 0 ? "raised" : "lowered")} it most is {opposite.Label:strong}, by ");
            page.Text($"{NumberText.Value(Math.Abs(opposite.Estimate))}{unit}. ");
        }

        if (finding.Stages.MaxBy(stage => stage.Size) is { } larger && larger.Size > top.Size)
        {
            var doubt = !larger.HasInterval ? "it has no interval"
                : larger.ExcludesZero ? "its test says that it may be luck" : "its interval includes zero";
            page.Text($"The estimate of {larger.Label:strong} is larger, but {doubt}. ");
        }

        page.Text(Reach(top.Effect.OverSeeds)).Close();
    }

    private static void WriteRanking(MarkupWriter page, RankingArtifact ranking)
    {
        page.Open("p").Text($"Reliance on {ranking.Confounder:strong}: ");
        if (ranking.Ranking.FirstOrDefault(stage => double.IsFinite(stage.Score)) is not { } top)
        {
            page.Text("no stage was ranked.").Close();
            return;
        }

        var raised = top.Score > 0 ? "raised it most, by" : "ranks first, though it did not raise it, with";
        page.Text($"stage {top.Stage:strong} {raised} {NumberText.Signed(top.Score)} (interval {NumberText.Interval(top.Low, top.High)}, ");
        var verdict = top.Significant switch
        {
            Significance.Yes => "significant in this run",
            Significance.No => "not significant",
            _ => "too few rows to say",
        };
        page.Text($"{verdict}, adjusted p {NumberText.Probability(top.AdjustedPValue)}). {Reach(top.OverSeeds)}").Close();
    }

    /// <summary>Of what the answer holds: of this run, or of this data.</summary>
    private static string Reach(OverSeeds? over) => over is null
        ? "This holds in this run: no other seed was asked."
        : $"Over {NumberText.Count(over.Seeds)} seeds the mean is {NumberText.Signed(over.Mean)} "
            + $"({(double.IsNaN(over.Low) ? "no interval" : $"interval {NumberText.Interval(over.Low, over.High)}")}, {NumberText.Percent(Math.Round(over.Luck, 2))} luck): "
            + over.Significant switch
            {
                Significance.Yes => "this data does that.",
                Significance.No => "whether this data does that is not known.",
                _ => "too few rows to say whether this data does that.",
            };
}
