"""Chat models as players: one client interface, one agent, and a stub that needs no model."""

from agents.llm.agent import ChatAgent
from agents.llm.chat import ChatClient, ChatError, ChatReply, Message
from agents.llm.stub_client import StubClient

__all__ = ["ChatAgent", "ChatClient", "ChatError", "ChatReply", "Message", "StubClient"]
