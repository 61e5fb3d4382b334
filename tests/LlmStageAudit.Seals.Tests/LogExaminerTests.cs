using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Seals.Sealing;
using LlmStageAudit.Seals.Verification;

namespace LlmStageAudit.Seals.Tests;

/// <summary>What is said of a log that was tampered with, word for word; and in logs so long that only some hashes are sealed.</summary>
public sealed class LogExaminerTests : IDisposable
{
    private const string Genesis = "0123/first";
    private const int Long = 2500; // a hash of every third record is sealed

    private readonly TemporaryFolder _folder = new();

    private string LogPath => _folder.At("trajectory.log");

    [Theory]
    [InlineData("flip content 7", 7, FindingKind.Changed, "record 7 was changed")]
    [InlineData("flip hash 7", 7, FindingKind.Changed, "record 7 was changed")]
    [InlineData("flip magic 7", 7, FindingKind.Changed, "record 7 was changed")]
    [InlineData("flip length 12", 12, FindingKind.Changed, "record 12 was changed")]
    [InlineData("rehash 7 7", 7, FindingKind.Changed, "record 7 was changed")]
    [InlineData("rehash 7 12", 7, FindingKind.Changed, "records 7 to 12 were changed")]
    [InlineData("wipe 4 6", 4, FindingKind.Changed, "records 4 to 6 were changed")]
    [InlineData("remove 4", 4, FindingKind.Removed, "record 4 is missing")]
    [InlineData("remove 1", 1, FindingKind.Removed, "record 1 is missing")]
    [InlineData("swap 3 4", 3, FindingKind.Reordered, "records 3 and 4 are swapped")]
    [InlineData("swap 2 9", 2, FindingKind.Reordered, "records 2 and 9 are swapped")]
    [InlineData("move 2 6", 2, FindingKind.Reordered, "records 2 to 6 are not in their order")]
    [InlineData("double 5 5", 5, FindingKind.Duplicated, "record 5 stands more than once")]
    [InlineData("double 5 1", 5, FindingKind.Duplicated, "record 5 stands more than once")]
    [InlineData("cut 9", 10, FindingKind.Truncated, "it is cut before record 10 of 12")]
    [InlineData("cut 0", 1, FindingKind.Truncated, "it is cut before record 1 of 12")]
    [InlineData("tear 10", 10, FindingKind.Truncated, "it is cut inside record 10 of 12")]
    [InlineData("append", 12, FindingKind.Appended, "5 bytes that were not sealed stand after record 12")]
    public void One_change_is_named_in_one_sentence(string change, int record, FindingKind kind, string message)
    {
        var log = WriteAndSeal(12);
        Assert.Equal(12, Examine(log).Records);
        Apply(change);
        var finding = Assert.Single(Examine(log).Findings);
        Assert.Equal((record, kind, message), (finding.Record, finding.Kind, finding.Message));
    }

    [Theory]
    [InlineData("flip content 1000", 1000, FindingKind.Changed, "record 1000 was changed")]
    [InlineData("flip content 999", 999, FindingKind.Changed,
        "record 999 was changed (or a record from 997 on, under a fresh hash: of this log one hash in 3 is sealed)")]
    [InlineData("flip content 1001", 1001, FindingKind.Changed,
        "record 1001 was changed (or a record from 1000 on, under a fresh hash: of this log one hash in 3 is sealed)")]
    [InlineData("flip hash 1000", 1000, FindingKind.Changed, "record 1000 was changed")]
    [InlineData("flip hash 999", 999, FindingKind.Changed, "record 999 was changed")]
    [InlineData("flip magic 1001", 1001, FindingKind.Changed, "record 1001 was changed")]
    [InlineData("swap 999 1998", 999, FindingKind.Reordered, "records 999 and 1998 are swapped")]
    [InlineData("remove 1000", 1000, FindingKind.Removed, "record 1000 is missing")]
    [InlineData("cut 1700", 1701, FindingKind.Truncated, "it is cut before record 1701 of 2500")]
    [InlineData("rehash 1000 2500", 1000, FindingKind.Changed,
        "records 1000 to 2500 were changed (perhaps only from 1002 on: of this log one hash in 3 is sealed)")]
    public void In_a_long_log_too(string change, int record, FindingKind kind, string message)
    {
        var log = WriteAndSeal(Long);
        Assert.Equal((3, 833), (log.MarkInterval, log.Marks.Count));
        Assert.Equal(Long, Examine(log).Records);
        Apply(change);
        var finding = Assert.Single(Examine(log).Findings);
        Assert.Equal((record, kind, message), (finding.Record, finding.Kind, finding.Message));
    }

    [Fact]
    public void Several_changes_are_all_named_and_the_rest_counts_as_intact()
    {
        var log = WriteAndSeal(30);
        foreach (var change in new[] { "flip content 3", "flip magic 11", "flip hash 20", "remove 25" }) Apply(change);
        var examination = Examine(log);
        Assert.Equal([3, 11, 20, 25], examination.Findings.Select(finding => finding.Record!.Value));
        Assert.Equal(30 - 4, examination.Records);
    }

    [Fact]
    public void Swapped_records_whose_hashes_are_not_sealed_are_changed_ones()
    {
        var log = WriteAndSeal(Long);
        Apply("swap 1000 2000");
        var examination = Examine(log);
        Assert.Equal([1000, 2000], examination.Findings.Select(finding => finding.Record!.Value));
        Assert.All(examination.Findings, finding => Assert.Equal(FindingKind.Changed, finding.Kind));
        Assert.Equal(Long - 2, examination.Records);
    }

    [Fact]
    public void A_changed_preamble_and_a_missing_log_are_named()
    {
        var log = WriteAndSeal(3);
        var bytes = File.ReadAllBytes(LogPath);
        bytes[9] ^= 1;
        File.WriteAllBytes(LogPath, bytes);
        var finding = Assert.Single(Examine(log).Findings);
        Assert.Equal((null, FindingKind.Changed), (finding.Record, finding.Kind));
        File.Delete(LogPath);
        Assert.Equal(FindingKind.Missing, Assert.Single(Examine(log).Findings).Kind);
    }

    public void Dispose() => _folder.Dispose();

    private (int Records, IReadOnlyList<RunFinding> Findings) Examine(SealedLog log) =>
        LogExaminer.Examine(LogPath, log, Genesis, default);

    private SealedLog WriteAndSeal(int records)
    {
        using (var writer = TrajectoryWriter.Create(LogPath, Genesis))
        {
            for (var step = 1; step <= records; step++)
            {
                var gradient = new byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(gradient, step * 7919L);
                writer.Append(
                    new StepRecord
                    {
                        Step = step,
                        StageStep = step,
                        Epoch = 0,
                        LearningRate = 0.1,
                        LossNats = 1.0 / step,
                        GradientNorm = 2,
                        BatchIds = [$"row-{step}"],
                    },
                    gradient);
            }

            writer.Flush();
            var stage = new StageResult
            {
                Name = "first",
                Index = 0,
                FirstStep = 1,
                Steps = records,
                Examples = 1,
                TrajectoryHead = writer.HeadHash,
                State = StageState.Completed,
            };
            return SealEntries.PinLog(LogPath, "stages/01-first/trajectory.log", Genesis, stage);
        }
    }

    /// <summary>Takes the file apart by the format alone.</summary>
    private void Apply(string change)
    {
        var bytes = File.ReadAllBytes(LogPath);
        var records = new List<byte[]>();
        for (var at = 16; at < bytes.Length;)
        {
            var length = 16
                + BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4))
                + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + 8))
                + 32;
            var end = Math.Min(bytes.Length, at + length);
            records.Add(bytes[at..end]);
            at = end;
        }

        var words = change.Split(' ');
        var numbers = words.Where(word => char.IsAsciiDigit(word[0])).Select(int.Parse).ToArray();
        switch (words[0])
        {
            case "flip":
                var record = records[numbers[0] - 1];
                record[words[1] switch { "content" => record.Length - 36, "hash" => record.Length - 1, "magic" => 0, _ => 4 }] ^= 1;
                break;
            case "rehash":
                records[numbers[0] - 1][^36] ^= 1;
                Rehash(records, numbers[0], numbers[1]);
                break;
            case "wipe":
                for (var number = numbers[0]; number <= numbers[1]; number++) Array.Clear(records[number - 1]);
                break;
            case "remove":
                records.RemoveAt(numbers[0] - 1);
                break;
            case "swap":
                (records[numbers[0] - 1], records[numbers[1] - 1]) = (records[numbers[1] - 1], records[numbers[0] - 1]);
                break;
            case "move":
                records.Insert(numbers[1], records[numbers[0] - 1]);
                records.RemoveAt(numbers[0] - 1);
                break;
            case "double":
                records.Insert(numbers[1], records[numbers[0] - 1]);
                break;
            case "cut":
                records.RemoveRange(numbers[0], records.Count - numbers[0]);
                break;
            case "tear":
                records.RemoveRange(numbers[0], records.Count - numbers[0]);
                records[^1] = records[^1][..(records[^1].Length / 2)];
                break;
            default:
                records.Add(new byte[5]);
                break;
        }

        File.WriteAllBytes(LogPath, [.. bytes[..16], .. records.SelectMany(record => record)]);
    }

    private static void Rehash(List<byte[]> records, int first, int last)
    {
        for (var number = first; number <= last; number++)
        {
            var before = number == 1 ? SHA256.HashData(Encoding.UTF8.GetBytes(Genesis)) : records[number - 2][^32..];
            SHA256.HashData([.. before, .. records[number - 1][..^32]]).CopyTo(records[number - 1], records[number - 1].Length - 32);
        }
    }
}
