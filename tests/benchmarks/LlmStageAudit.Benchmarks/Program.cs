using LlmStageAudit.Benchmarks.Certification;
using LlmStageAudit.Benchmarks.Comments;
using LlmStageAudit.Benchmarks.Determinism;
using LlmStageAudit.Benchmarks.Digits;
using LlmStageAudit.Benchmarks.Estimates;
using LlmStageAudit.Benchmarks.Loading;
using LlmStageAudit.Benchmarks.LongRuns;
using LlmStageAudit.Benchmarks.Significance;
using LlmStageAudit.Benchmarks.Steps;
using LlmStageAudit.Benchmarks.Tokenization;
using LlmStageAudit.Benchmarks.Trust;
using LlmStageAudit.Benchmarks;

