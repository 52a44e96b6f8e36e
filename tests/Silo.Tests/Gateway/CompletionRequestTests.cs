using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Silo.Gateway.OpenAi;

namespace EgpuFleet.Silo.Tests.Gateway;

public sealed class CompletionRequestTests
{
    [Fact]
    public void What_steers_an_answer_goes_to_an_engine_that_can()
    {
        var steered = Read(
            """{"model":"m","prompt":"a","frequency_penalty":1.5,"presence_penalty":-0.5,"logit_bias":{"7":-100,"8":1}}"""
        );
        Assert.Equal((1.5, -0.5), (steered.FrequencyPenalty, steered.PresencePenalty));
        Assert.Equal([new LogitBias(7, -100), new LogitBias(8, 1)], steered.Biases!);
        Assert.True(steered.IsSteered);
        Assert.True(Read("""{"model":"m","prompt":"a","presence_penalty":1}""").IsSteered);
        Assert.True(Read("""{"model":"m","prompt":"a","frequency_penalty":-1}""").IsSteered);
        Assert.False(
            Read(
                """{"model":"m","prompt":"a","frequency_penalty":0,"presence_penalty":0,"logit_bias":{},"top_p":0.5}"""
            ).IsSteered
        );
    }

    private static GenerationParameters Read(string body)
    {
        using var document = JsonDocument.Parse(body);
        return CompletionRequest.ReadCompletion(document.RootElement).Parameters;
    }
}
