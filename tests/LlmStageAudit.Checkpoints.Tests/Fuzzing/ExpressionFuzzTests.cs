using System.Text;
using System.Text.Json;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Checkpoints.Tests.Fuzzing;

/// <summary>The small languages inside configurations: conditions on rows, and patterns over module names.</summary>
public sealed class ExpressionFuzzTests : IDisposable
{
    private static readonly string[] Columns = ["toxicity", "christian", "text", "odd name"];

    private static readonly byte[][] Expressions = Bytes(
        "toxicity >= 0.5",
        "toxicity >= 0.5 and not (christian > 0.1 or text contains 'x') and `odd name` in (1, 2, 'three')",
        "text matches '^a+b$' or [odd name] = \"it's\" and christian not in ('a')",
        "toxicity");

    private static readonly byte[][] Patterns = Bytes(
        @".*\.(query_key_value|dense)",
        @"(?:layers|blocks)\.\d+\.(attn|mlp)\..*",
        "^model(?!.*vision).*q_proj$",
        @"[a-z_]+\.(?:[0-9]+\.)?w{1,3}");

    private static readonly CommentSet Rows = CommentSet.Of(
        "rows", Columns, [["0.7", "0", "some aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa text", "1"], ["", "x", "", "it's"]]);

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>What parses answers for every row, the same twice, or says which cell it cannot take.</summary>
    [Fact]
    public void Damaged_expressions_are_evaluated_or_refused() => new FuzzCampaign("row expressions", 60_000).Run(
        random => TextMutator.Mutate(Expressions[random.Next(Expressions.Length)], random),
        bytes =>
        {
            var expression = RowExpression.Parse(Encoding.UTF8.GetString(bytes), Columns, "run.yaml: stages.0.data.where");
            Assert.Subset(Columns.ToHashSet(), expression.ColumnsUsed.ToHashSet());
            foreach (var row in Rows.Rows) Assert.Equal(Answer(expression, row), Answer(expression, row));
        },
        bytes => bytes.All(value => value is (byte)' ' or (byte)'\n'));

    /// <summary>What compiles matches or not, or takes too long and says so.</summary>
    [Fact]
    public void Damaged_module_patterns_are_matched_or_refused() => new FuzzCampaign("module patterns", 40_000).Run(
        random => TextMutator.Mutate(Patterns[random.Next(Patterns.Length)], random),
        bytes =>
        {
            var pattern = JsonSerializer.Serialize(Encoding.UTF8.GetString(bytes));
            var path = _scratch.WriteText(
                "adapter_config.json",
                $$"""{"peft_type":"LORA","target_modules":{{pattern}},"rank_pattern":{ {{pattern}}:3 } }""");
            var config = LoraConfig.Read(path);
            foreach (var module in (string[])["gpt_neox.layers.0.attention.query_key_value", "model.layers.11.mlp.dense", new('a', 60)])
            {
                Assert.Equal(config.Targets(module), config.Targets(module));
                Assert.Contains(config.RankOf(module), new[] { 3, 8 });
            }
        },
        _ => false);

    private static string Answer(RowExpression expression, CommentRow row)
    {
        try
        {
            return $"{expression.Test(row)} {expression.Evaluate(row)}";
        }
        catch (CheckpointException fault)
        {
            return fault.Message;
        }
        catch (AuditException fault)
        {
            Assert.Fail($"a {fault.GetType().Name}: {fault.Message}");
            throw;
        }
    }

    private static byte[][] Bytes(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];
}
