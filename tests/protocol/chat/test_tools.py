import json

import pytest

from protocol.chat import Call, Called, Finish, Message, Reply, Returned, Tool, ToolCall, Usage
from protocol.chat.dialect import Dialect, body, without
from protocol.chat.tools import heard

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
READ = Tool("files_read", "Read a file.", SCHEMA)
ASKED = ToolCall("id-0", "files_read", '{"path":"a"}')
BROKEN = ToolCall("id-1", "files_read", '{"path":')
CALL = Call(
    (
        Message("system", "Work."),
        Message("user", "Read a."),
        Called("assistant", "I read.", (ASKED, BROKEN)),
        Returned("tool", "A text.", ASKED),
        Returned("tool", "no JSON", BROKEN),
    ),
    "",
    None,
    300,
    (READ,),
    {"cache_salt": "s"},
)


FUNCTION = {"name": "files_read", "arguments": '{"path":"a"}'}
ASKED_TWICE_QUOTED = json.dumps({"tool_calls": [{"function": FUNCTION}]})


def said(text="", *calls):
    return Reply(text, Finish.STOP, Usage(), calls)


def test_tools_are_a_field_of_the_request_and_their_calls_part_of_the_messages():
    sent = body(CALL, Dialect(), model="m", extra={"temperature": 0})
    assert sent["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "files_read",
                "description": "Read a file.",
                "parameters": SCHEMA,
            },
        }
    ]
    asked, *results = sent["messages"][2:]
    function = {"name": "files_read", "arguments": '{"path":"a"}'}
    assert asked["tool_calls"][0] == {"id": "id-0", "type": "function", "function": function}
    assert asked["tool_calls"][1]["function"]["arguments"] == "{}"  # what no template can read
    assert results == [
        {"role": "tool", "content": "A text.", "tool_call_id": "id-0"},
        {"role": "tool", "content": "no JSON", "tool_call_id": "id-1"},
    ]
    assert (sent["cache_salt"], sent["temperature"]) == ("s", 0)
    assert "response_format" not in sent


def test_in_words_the_first_message_has_the_tools_and_roles_take_turns():
    sent = body(CALL, Dialect(tools=False), model="m", extra={})
    assert "tools" not in sent
    system, user, assistant, results = sent["messages"]
    assert system["content"].startswith("Work.\n\nYou have tools.")
    assert (
        '{"name":"files_read","description":"Read a file.","parameters":{"type"'
        in system["content"]
    )
    assert user == {"role": "user", "content": "Read a."}
    assert json.loads(assistant["content"])["tool_calls"][0] == {
        "name": "files_read",
        "arguments": {"path": "a"},
    }
    assert results == {
        "role": "user",
        "content": "Result of files_read:\nA text.\n\nResult of files_read:\nno JSON",
    }


def test_the_estimate_counts_tools_and_calls():
    bare = Call(CALL.messages[:2], "", None, 300)
    assert bare.prompt_tokens == 2 + 2 + 2 * 4
    assert Call(CALL.messages[:2], "", None, 300, (READ,)).prompt_tokens > bare.prompt_tokens + 20
    assert CALL.prompt_tokens > bare.prompt_tokens + 40


@pytest.mark.parametrize(
    "text",
    [
        '{"tool_calls": [{"name": "files_read", "arguments": {"path":"a"}}]}',
        'I shall.\n```json\n{"name": "files_read", "arguments": {"path":"a"}}\n```',
        f"<think>{{}}</think>{ASKED_TWICE_QUOTED}",
    ],
)
def test_a_call_in_words_is_heard_where_words_were_asked_for(text):
    [call] = heard(said(text), words=True).calls
    assert call == ToolCall("call-0", "files_read", '{"path":"a"}')
    assert heard(said(text), words=False).calls == ()


@pytest.mark.parametrize("end", ["</tool_call>", ""])
@pytest.mark.parametrize("words", [True, False])
def test_a_call_in_tags_is_heard_everywhere(words, end):
    text = f'Now:\n<tool_call>\n{{"name": "files_read", "arguments": {{"path":"a"}}}}\n{end}'
    reply = heard(said(text), words=words)
    assert reply.calls == (ToolCall("call-0", "files_read", '{"path":"a"}'),)
    assert reply.text == "Now:"


@pytest.mark.parametrize(
    "text",
    [
        "done",
        '{"name": "Ada"}',
        '{"tool_calls": 7}',
        '{"tool_calls": [7, {"name": 1, "arguments": {}}]}',
        "[1]",
        "<tool_call>soon</tool_call>",
    ],
)
def test_what_is_no_call_is_the_answer(text):
    assert heard(said(text), words=True) == said(text)


def test_calls_that_the_server_has_heard_stand():
    reply = said('<tool_call>{"name": "x", "arguments": {}}</tool_call>', ASKED)
    assert heard(reply, words=True) is reply


@pytest.mark.parametrize(
    "complaint",
    [
        "registry/library/m does not support tools",
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "tools param requires --jinja flag",
        "No endpoints found that support tool use.",
        "Unrecognized request argument supplied: functions",
        "failed to parse grammar",
    ],
)
def test_a_server_that_knows_no_tools_is_asked_in_words(complaint):
    assert without(Dialect(), complaint, tools=True) == Dialect(tools=False)
    assert without(Dialect(tools=False), "the tools again", tools=True) is None
    assert without(Dialect(), "no tools here") is None


def test_what_else_a_server_complains_about_is_left_out_first():
    assert without(Dialect(), "Streaming is not supported", tools=True) == Dialect(stream=False)
