using System.Text;
using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.BadInput;

[Collection(AuditCollection.Name)]
public sealed class BadDatasetTests(AuditFixture audit) : IDisposable
{
    private readonly BrokenWorkspace _workspace = new(audit);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void A_filter_that_selects_nothing()
    {
        _workspace.Edit("sgd.yaml", "{ path: second.jsonl, ids: ids,", "{ path: second.jsonl, where: \"blue >= 2\", ids: ids,");
        _workspace.TrainRefused(3, _workspace.At("second.jsonl"), "none of 24 rows passes where: blue >= 2", "change the filter");
    }

    [Fact]
    public void A_file_without_rows()
    {
        _workspace.Write("second.jsonl", "");
        _workspace.TrainRefused(3, _workspace.At("second.jsonl"));
    }

    [Fact]
    public void A_file_that_is_not_there()
    {
        File.Delete(_workspace.At("third.jsonl"));
        _workspace.TrainRefused(3, _workspace.At("third.jsonl"));
    }

    [Theory]
    [InlineData("2")]
    [InlineData("-1")]
    public void A_label_out_of_range(string label)
    {
        ReplaceLine("first.jsonl", 5, $$"""{"id":"x","ids":[4,5],"label":{{label}},"blue":0}""");
        _workspace.TrainRefused(3, _workspace.At("first.jsonl") + ":5", $"label {label}", "expected 0 to 1", "model.labels");
    }

    [Fact]
    public void A_label_that_is_no_whole_number()
    {
        ReplaceLine("first.jsonl", 5, """{"id":"x","ids":[4,5],"label":0.5,"blue":0}""");
        _workspace.TrainRefused(3, _workspace.At("first.jsonl"), "5", "0.5");
    }

    [Fact]
    public void A_label_that_is_not_given()
    {
        ReplaceLine("first.jsonl", 5, """{"id":"x","ids":[4,5],"blue":0}""");
        _workspace.TrainRefused(3, _workspace.At("first.jsonl"), "5", "label");
    }

    [Theory]
    [InlineData("[4,40]", "token id 40")]
    [InlineData("[4,-1]", "token id -1")]
    [InlineData("[]", "0 tokens")]
    [InlineData("\"4 5\"", "expected a list of integers")]
    [InlineData("[4.5]", "expected a list of integers")]
    [InlineData("[99999999999]", "expected a list of integers")]
    public void Ids_the_model_does_not_have(string ids, string mention)
    {
        ReplaceLine("first.jsonl", 7, $$"""{"id":"x","ids":{{ids}},"label":0,"blue":0}""");
        _workspace.TrainRefused(3, _workspace.At("first.jsonl"), "7", mention);
    }

    [Fact]
    public void A_line_that_is_no_json()
    {
        ReplaceLine("first.jsonl", 3, "{\"ids\":[4,5");
        _workspace.TrainRefused(3, _workspace.At("first.jsonl"), "line 3");
    }

    [Fact]
    public void A_column_that_is_not_there()
    {
        _workspace.Edit("sgd.yaml", "{ path: first.jsonl, ids: ids, label: label }", "{ path: first.jsonl, ids: idss, label: label }");
        _workspace.TrainRefused(3, _workspace.At("first.jsonl"), "no column 'idss'", "did you mean 'ids'?");
    }

    [Fact]
    public void Bytes_that_are_not_utf_8()
    {
        File.WriteAllBytes(_workspace.At("latin.csv"), Encoding.Latin1.GetBytes("id,comment,label\n1,caf\u00e9,0\n"));
        _workspace.Edit("sgd.yaml", "path: first.jsonl, ids: ids", "path: latin.csv, text: comment");
        _workspace.TrainRefused(3, _workspace.At("latin.csv"), "line 2", "UTF-8");
    }

    [Theory]
    [InlineData("evaluate")]
    [InlineData("attribute")]
    [InlineData("rank")]
    public void A_probe_without_examples(string verb)
    {
        _workspace.Edit("identity.yaml", "path: probe.jsonl,", "path: probe.jsonl, where: \"label == 5\",");
        string[] confounder = verb == "rank" ? ["--confounder", "blue"] : [];
        var before = FileTree.Of(audit.Run);
        _workspace.Refused(3, [verb, audit.Run, "--probe", _workspace.Probe, .. confounder], _workspace.At("probe.jsonl"),
            "none of 64 rows", "label == 5");
        Assert.Equal(before, FileTree.Of(audit.Run));
    }

    [Fact]
    public void A_group_the_probes_data_does_not_have()
    {
        _workspace.Edit("identity.yaml", "groups: [blue]", "groups: [bluee]");
        _workspace.Refused(2, ["evaluate", audit.Run, "--probe", _workspace.Probe], _workspace.Probe, "'bluee'", "did you mean 'blue'?");
    }

    private void ReplaceLine(string name, int number, string line)
    {
        var lines = File.ReadAllLines(_workspace.At(name));
        lines[number - 1] = line;
        File.WriteAllText(_workspace.At(name), string.Join('\n', lines) + "\n");
    }
}
