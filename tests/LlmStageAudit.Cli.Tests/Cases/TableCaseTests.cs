using System.Text.Json;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Cases;

/// <summary>
/// Tables as people have them: what is wrong in them is told with what to do, and what is missing is not taken for a zero.
/// </summary>
[Collection(AuditCollection.Name)]
public sealed class TableCaseTests
{
    private const string Cases = "cases";

    [SharedTheory(Cases)]
    [InlineData("csv-is-parquet", "Parquet file")]
    [InlineData("csv-is-zip", "it is a zip archive", "unzip it, or export the sheet of a spreadsheet as CSV")]
    [InlineData("csv-semicolons", "line 1: one column, 'id;text;label': the file seems to be separated by ';'", "to_csv")]
    [InlineData("csv-utf16", "text in UTF-16", "iconv -f UTF-16 -t UTF-8")]
    [InlineData("csv-empty-label-condition", "c.csv:3: row 2 has no label (toxicity >= 0.5: 'toxicity' holds nothing)", "data.missing: skip")]
    [InlineData("jsonl-chat-messages", "a list of chat messages, which is not read", "data.text and data.completion")]
    [InlineData("labels-strings", "line 2, column 'label': 'toxic'", "\"label == 'toxic'\"")]
    [InlineData("null-text-with-bos", "rows.jsonl:2: row 2 has no text in 'text'", "data.missing: skip")]
    [InlineData("_fine/csv-duplicate-header", "the column 'target' stands there twice")]
    [InlineData("_fine/csv-empty-text", "c.csv:3: row 2 has no text in 'comment_text'")]
    [InlineData("_fine/csv-semicolons-no-commas", "one column, 'id;text;label': the file seems to be separated by ';'")]
    [InlineData("_fine/csv-trailing-comma", "column 4 has no name")]
    public void What_cannot_be_trained_on_is_refused_in_one_line(string name, params string[] mentions)
    {
        using var folder = new CaseFolder(name);
        folder.TrainRefused(3, [folder.At(), .. mentions], more: Model(name));
    }

    [SharedFact(Cases)]
    public void An_archive_in_place_of_a_table_gets_no_advice_about_weights()
    {
        using var folder = new CaseFolder("csv-is-zip");
        Assert.DoesNotContain("torch", folder.Train().Error, StringComparison.Ordinal);
    }

    [SharedFact(Cases)]
    public void An_empty_text_of_a_table_is_no_text_either()
    {
        using var folder = new CaseFolder("null-text-with-bos");
        folder.TrainRefused(3, ["c.csv:3: row 2 has no text in 'text'"], "run_csv.yaml");
        Assert.Contains("1 of 3 rows lack", Told(folder.Train("run_csv.yaml", "--set", "stages.one.data.missing=skip")));
    }

    [SharedTheory(Cases)]
    [InlineData("csv-empty-label-condition", "1 of 3 rows lack a label or a text and are left out")]
    [InlineData("null-text-with-bos", "2 of 4 rows lack a label or a text and are left out")]
    public void Rows_without_a_label_or_a_text_may_be_left_out_and_are_counted(string name, string told)
    {
        using var folder = new CaseFolder(name);
        Assert.Contains(told, Told(folder.Train("run.yaml", "--set", "stages.one.data.missing=skip")));
    }

    [SharedFact(Cases)]
    public void One_class_alone_is_told()
    {
        using var folder = new CaseFolder("label-condition-never-true");
        Assert.Contains(
            "all 12 examples have label 0, for the condition is never true: label == 'Toxic'; 'label' holds 'toxic', 'fine'",
            Told(folder.Train()));
    }

    [SharedFact(Cases)]
    public void Numbers_that_python_writes_are_missing_ones()
    {
        using var folder = new CaseFolder("jsonl-python-nan");
        Assert.Equal([2], Steps(folder.Trained()));
        var probe = folder.Write("probe.yaml", $"data: {{ path: {folder.At("rows.jsonl")}, ids: ids, label: label, groups: [muslim] }}\n");
        Assert.Equal((5, 0), Sizes(CommandLine.Json("evaluate", folder.Out, "--probe", probe)));
        Assert.Equal((5, 3), Sizes(CommandLine.Json("evaluate", folder.Out, "--probe", probe, "--unlabelled", "background")));
    }

    [SharedFact(Cases)]
    public void Words_for_missing_values_and_empty_cells_are_not_annotated()
    {
        using var folder = new CaseFolder("csv-bool-identities");
        Assert.Equal([4], Steps(folder.Trained()));
        Assert.Equal((6, 6), Sizes(CommandLine.Json("evaluate", folder.Out, "--probe", folder.At("probe.yaml"))));
        Assert.Equal((6, 10), Sizes(CommandLine.Json(
            "evaluate", folder.Out, "--probe", folder.At("probe.yaml"), "--unlabelled", "background")));
    }

    [SharedFact(Cases)]
    public void A_column_and_a_condition_over_it_are_one_group()
    {
        using var folder = new CaseFolder("group-expression-unannotated");
        CommandLine.Succeed("train", CaseFolder.Beside("_base", "run_ids.yaml"), "--out", folder.Out);
        foreach (var policy in (string[])["exclude", "background"])
        {
            var said = CommandLine.Json("evaluate", folder.Out, "--probe", folder.At("probe.yaml"), "--unlabelled", policy);
            var (column, condition) = (said.List("groups")[0], said.List("groups")[1]);
            Assert.Equal(column.Count("background"), condition.Count("background"));
            Assert.Equal(column.GetProperty("metrics").GetRawText(), condition.GetProperty("metrics").GetRawText());
        }

        // By name, too. 7 of 9: of the pairs of an annotated background positive and a subgroup negative.
        var named = folder.Write("named.yaml",
            $"data: {{ path: {folder.At("p.jsonl")}, ids: ids, label: label, groups: [{{ name: strong, where: \"muslim >= 0.5\" }}] }}\n");
        var group = Assert.Single(CommandLine.Json("evaluate", folder.Out, "--probe", named).List("groups"));
        Assert.Equal("strong", group.Text("group"));
        Assert.Equal(7.0 / 9, group.GetProperty("metrics").Number("bpsnAuc"), 1e-4);
    }

    [SharedFact(Cases)]
    public void Rows_that_a_quote_swallows_are_told_and_kept_without_quoting()
    {
        using var quoted = new CaseFolder("tsv-unbalanced-quotes");
        Assert.Contains("a row spans several lines, the first from line 3 to 5", Told(quoted.Train()));
        Assert.Contains("data.quoting: none", Told(CommandLine.Run(
            "evaluate", quoted.Out, "--probe", quoted.Write("p.yaml", $"data: {{ path: {quoted.At("c.tsv")}, text: text, label: label }}\n"))));

        using var plain = new CaseFolder("tsv-unbalanced-quotes");
        Assert.Equal([2], Steps(plain.Trained("run.yaml", "--set", "stages.one.data.quoting=none")));
    }

    /// <summary>A byte-order mark, CR LF, quotes, line ends and a NUL in texts, an emoji, a formula, and the text NA.</summary>
    [SharedFact(Cases)]
    public void Odd_cells_are_read_as_they_are()
    {
        const string name = "_fine/csv-odd-cells";
        using var folder = new CaseFolder(name);
        Assert.Equal([1], Steps(folder.Trained("run.yaml", Model(name))));
        Assert.Equal((2, 1), Sizes(CommandLine.Json("evaluate", folder.Out, "--probe", folder.At("probe.yaml"))));
    }

    [SharedTheory(Cases)]
    [InlineData("_fine/csv-wilds-two-indexes", 1)]
    [InlineData("_fine/jigsaw-test-minus-one", 1)]
    public void Sets_as_they_are_published_are_trained_on(string name, int steps)
    {
        using var folder = new CaseFolder(name);
        Assert.Equal([steps], Steps(folder.Trained("run.yaml", Model(name))));
    }

    [SharedTheory(Cases)]
    [InlineData("_fine/group-coded-minus-one")]
    [InlineData("_fine/probe-duplicate-ids")]
    public void Codes_below_a_half_are_background_and_ids_may_repeat(string name)
    {
        using var folder = new CaseFolder(name);
        CommandLine.Succeed("train", CaseFolder.Beside("_base", "run_ids.yaml"), "--out", folder.Out);
        var rows = File.ReadLines(folder.At("p.jsonl")).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        var members = rows.Count(row => row.Number("muslim") >= 0.5);
        Assert.Equal((members, rows.Length - members), Sizes(CommandLine.Json("evaluate", folder.Out, "--probe", folder.At("probe.yaml"))));
    }

    [SharedFact(Cases)]
    public void A_table_may_be_gzip_or_parquet_and_a_sample_of_it_is_enough()
    {
        using var folder = new CaseFolder("jsonl-python-nan");
        var parquet = SharedData.At("data", "parquet", "hf_classlabel.parquet");
        var said = CommandLine.Json(
            "train", CaseFolder.Beside("label-condition-never-true", "run.yaml"), "--out", folder.Out,
            "--set", $"stages.one.data={{ path: {parquet}, text: text, label: \"label == 'neutral'\", sample: 20 }}");
        Assert.Equal([5], Steps(said));
    }

    /// <summary>The shared models lie beside the cases, not beside those that are fine.</summary>
    private static string[] Model(string name) =>
        name.StartsWith("_fine/", StringComparison.Ordinal) ? ["--set", $"model.path={CaseFolder.Beside("_base", "text_model")}"] : [];

    private static string Told(CommandOutcome outcome)
    {
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        return outcome.Error.ReplaceLineEndings(" ");
    }

    private static int[] Steps(JsonElement said) => [.. said.List("stages").Select(stage => stage.Count("steps"))];

    private static (int Members, int Background) Sizes(JsonElement said)
    {
        var group = Assert.Single(said.List("groups"));
        return (group.Count("examples"), group.Count("background"));
    }
}
