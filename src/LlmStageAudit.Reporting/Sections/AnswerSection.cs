using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Reporting.Findings;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>The answer in one sentence with its sign and interval, and what qualifies it.</summary>
internal static class AnswerSection
{
    private const int OtherAnswers = 4;

    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        page.OpenSection("answer", "Answer");
        if (findings.Primary is not { } primary)
        {
            page.Paragraph("Not answered yet: no effects were estimated for this run. This estimates them:", "answer");
            page.Commands(findings.AttributeCommand);
            page.Close();
            return;
        }

        WriteAnswer(page, primary, "answer");
        WriteQualification(page, primary);
        var rankings = findings.Rankings.DistinctBy(ranking => (ranking.Confounder, ranking.Probe.Path));
        foreach (var ranking in rankings) WriteRanking(page, ranking);
        var others = findings.Answers.Skip(1).ToArray();
        foreach (var other in others.Take(OtherAnswers)) WriteAnswer(page, other, null, $"Probe {other.Artifact.Probe.Name}: ");
        if (others.Length > OtherAnswers) page.Paragraph("Further probes are below.", "quiet");
        page.Close();
    }

    private static void WriteAnswer(MarkupWriter page, EffectFinding finding, string? look, string lead = "")
    {
        page.Open("p", ("class", Look(finding, look))).Text(lead);
        var metric = finding.Artifact.Metric;
        if (finding.Top is not { } top)
        {
            page.Text($"No {finding.Noun} has an effect on {metric} that could be computed.").Close();
            return;
        }

        var effect = top.Effect;
        var interval = top.HasInterval
            ? $" (interval {NumberText.Interval(effect.Low, effect.High)})"
            : " (the mean over the probe alone, without an interval)";
        if (!top.IsDistinguishable && (top.HasInterval || effect.Estimate == 0))
        {
            page.Text($"No {finding.Noun} changed {metric} distinguishably from zero: the largest estimate is ");
            page.Element("strong", NumberText.Signed(effect.Estimate) + MetricText.Suffix(metric)).Text(interval + ", of ");
            page.Element("strong", top.Label).Text(look is null ? $"; trust: {effect.Trust}." : ".").Close();
            return;
        }

        page.Text(finding.Noun == "stage" ? "Stage " : $"Of all {finding.Plural}, ");
        page.Element("strong", top.Label).Text(effect.Estimate > 0 ? " raised " : " lowered ").Text(metric + " most: ");
        page.Element("strong", NumberText.Signed(effect.Estimate) + MetricText.Suffix(metric), ("class", "figure"));
        page.Text(interval + (look is null ? $"; trust: {effect.Trust}." : ".")).Close();
    }

    private static void WriteQualification(MarkupWriter page, EffectFinding finding)
    {
        if (finding.Top is not { } top) return;
        page.Open("p");
        if (top.HasInterval) page.Text(top.IsDistinguishable ? "Its interval excludes zero. " : "Its interval includes zero. ");
        if (top.Verified is { } verified)
        {
            page.Text("Retraining without it measured ").Element("strong", NumberText.Signed(verified.Measured));
            page.Text($"{MetricText.Suffix(finding.Artifact.Metric)} on {NumberText.Count(verified.Examples, "probe row")}");
            page.Text(verified.BitIdentical == true ? ", with parameters equal to the replayed ones bit for bit. " : ". ");
        }
        else
        {
            page.Text(top.IsVerified ? "It is marked as verified. " : "It has not been verified by retraining. ");
        }

        page.Text("Trust: ").Element("strong", top.Effect.Trust);
        page.Text(top.Effect.Evidence is { Reason.Length: > 0 } evidence ? $", since {evidence.Reason}. " : ". ");

        if (finding.Opposite is { } opposite)
        {
            page.Text(opposite.Effect.Estimate > 0 ? "What raised it most is " : "What lowered it most is ");
            page.Element("strong", opposite.Label).Text($", by {NumberText.Value(Math.Abs(opposite.Effect.Estimate))}");
            page.Text($"{MetricText.Suffix(finding.Artifact.Metric)}. ");
        }

        var larger = finding.Stages.MaxBy(stage => stage.Size);
        if (larger is not null && larger.Size > top.Size)
        {
            page.Text("The estimate of ").Element("strong", larger.Label);
            page.Text(larger.HasInterval ? " is larger, but its interval includes zero." : " is larger, but it has no interval.");
        }

        page.Close();
    }

    private static void WriteRanking(MarkupWriter page, RankingArtifact ranking)
    {
        page.Open("p").Text("Reliance on ").Element("strong", ranking.Confounder).Text(": ");
        if (ranking.Ranking.Count == 0)
        {
            page.Text("no stage was ranked.").Close();
            return;
        }

        var top = ranking.Ranking.MaxBy(stage => double.IsFinite(stage.Score) ? stage.Score : double.NegativeInfinity)!;
        page.Text("stage ").Element("strong", top.Stage);
        page.Text(top.Score > 0 ? " raised it most, by " : " ranks first, though it did not raise it, with ");
        page.Text($"{NumberText.Signed(top.Score)} (interval {NumberText.Interval(top.Low, top.High)}, ");
        page.Text(top.Significant ? "significant" : "not significant");
        page.Text($" at adjusted p {NumberText.Probability(top.AdjustedPValue)}).").Close();
    }

    private static string? Look(EffectFinding finding, string? look) => (look, finding.Top) switch
    {
        (null, _) => null,
        (_, { IsDistinguishable: true, Effect.Estimate: > 0 }) => look + " is-raised",
        (_, { IsDistinguishable: true }) => look + " is-lowered",
        _ => look,
    };
}
