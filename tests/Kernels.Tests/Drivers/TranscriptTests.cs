namespace EgpuFleet.Kernels.Tests.Drivers;

public sealed class TranscriptTests
{
    private const int RealLines = 20;
    private const int RealTranscripts = 12;

    [Fact]
    public void Every_transcript_says_where_it_is_from() =>
        Assert.All(
            Transcript.All,
            transcript =>
                Assert.True(
                    transcript.IsReal || transcript.Label.StartsWith("constructed from: ", StringComparison.Ordinal),
                    transcript.Name
                )
        );

    [Fact]
    public void Quotes_from_public_reports_are_short_and_name_the_report() =>
        Assert.All(
            Transcript.All.Where(transcript => transcript.IsReal),
            transcript =>
            {
                Assert.InRange(transcript.Text.TrimEnd().Split('\n').Length, 1, RealLines);
                Assert.Contains('/', transcript.Label.Replace("tinygrad ", "tinygrad/", StringComparison.Ordinal));
            }
        );

    [Fact]
    public void Most_of_what_is_tested_was_really_seen() =>
        Assert.InRange(Transcript.All.Count(transcript => transcript.IsReal), RealTranscripts, int.MaxValue);
}
