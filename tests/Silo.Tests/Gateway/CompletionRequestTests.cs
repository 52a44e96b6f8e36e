using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Silo.Gateway;
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

    [Theory]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"a"}],"logprobs":true,"top_logprobs":20}""", 20)]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"a"}],"logprobs":true}""", 0)]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"a"}],"logprobs":false,"top_logprobs":0}""", null)]
    public void A_chat_tells_as_many_log_probabilities_as_it_is_asked_for(string body, int? told)
    {
        using var document = JsonDocument.Parse(body);
        Assert.Equal(told, CompletionRequest.ReadChat(document.RootElement).Parameters.TopLogProbs);
    }

    [Fact]
    public void Each_of_several_answers_has_its_own_seed_and_nothing_else_of_its_own()
    {
        var request = ReadWhole($$"""{"model":"m","prompt":"a","n":3,"seed":{{long.MaxValue}},"logprobs":2}""");
        var model = new ModelRef("m", new string('0', 64), 1);
        GenerateRequest[] made = [.. Enumerable.Range(0, request.Choices).Select(i => request.For(model, "r", i))];

        Assert.Equal([long.MaxValue, 0, 1], made.Select(one => one.Parameters.Seed));
        Assert.All(made, one => Assert.Equal(request.Parameters, one.Parameters with { Seed = long.MaxValue }));
        Assert.Equal(2, request.Parameters.TopLogProbs);
    }

    [Fact]
    public void Answers_to_one_prompt_stand_together_and_are_those_it_would_get_alone()
    {
        var request = ReadWhole("""{"model":"m","prompt":["a",[1,2]],"n":2,"seed":7,"best_of":2}""");
        var model = new ModelRef("m", new string('0', 64), 1);
        GenerateRequest[] made = [.. Enumerable.Range(0, request.Choices).Select(i => request.For(model, "r", i))];

        Assert.Equal(["a", "a", null, null], made.Select(one => one.Prompt));
        Assert.All(made[2..], one => Assert.Equal([1, 2], one.TokenIds!));
        Assert.Equal([7, 8, 7, 8], made.Select(one => one.Parameters.Seed));
    }

    [Fact]
    public void More_answers_than_one_request_may_have_are_refused()
    {
        var prompts = string.Join(',', Enumerable.Repeat("\"a\"", Limits.Choices));
        Assert.Equal(Limits.Choices, ReadWhole($$"""{"model":"m","prompt":[{{prompts}}]}""").Choices);

        foreach (var body in (string[])[$$"""{{prompts}},"b"], "n":1""", $$"""{{prompts}}], "n":2"""])
        {
            var refused = Assert.Throws<GatewayException>(() => ReadWhole($$"""{"model":"m","prompt":[{{body}}}"""));
            Assert.Equal("prompt", refused.Param);
        }
    }

    private static CompletionRequest ReadWhole(string body)
    {
        using var document = JsonDocument.Parse(body);
        return CompletionRequest.ReadCompletion(document.RootElement);
    }

    private static GenerationParameters Read(string body) => ReadWhole(body).Parameters;
}
