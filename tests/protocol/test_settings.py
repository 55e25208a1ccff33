"""What both sides' settings files share: required keys, lists, optional sections."""

from pathlib import Path

import pytest

from protocol.settings import Section, SettingsError, Tls, read_settings


class Device(Section):
    id: str
    labels: tuple[str, ...] | None = None
    tls: Tls | None = None


class Whole(Section):
    device: Device
    spares: tuple[Device, ...] = ()


def test_a_missing_key_is_named(tmp_path):
    path = tmp_path / "device.toml"
    path.write_text("[device]\n")
    with pytest.raises(SettingsError, match=r"line 1: device: 'id' is missing"):
        read_settings(Whole, path)


def test_an_unknown_key_is_named_first_since_it_is_why_another_is_missing(tmp_path):
    path = tmp_path / "device.toml"
    path.write_text("[device]\nidd = 'x'\n")
    with pytest.raises(SettingsError, match=r"line 2: device: 'idd' .*did you mean 'id'\?"):
        read_settings(Whole, path)


def test_an_unknown_key_in_a_list_is_told_what_is_known_there(tmp_path):
    path = tmp_path / "device.toml"
    path.write_text("[device]\nid = 'x'\n[[spares]]\nid = 'y'\nlabel = []\n")
    with pytest.raises(SettingsError, match=r"spares\.0: 'label' .*did you mean 'labels'\?"):
        read_settings(Whole, path)


def test_the_environment_alone_is_enough():
    environment = {"M_DEVICE_ID": "x", "M_DEVICE_TLS_CA_FILE": "ca.pem", "M_DEVICE_LABELS": "a:b"}
    whole = read_settings(Whole, None, prefix="M", environment=environment)
    assert whole.device.id == "x"
    assert whole.device.labels == ("a", "b")
    assert whole.device.tls.ca_file == Path.cwd() / "ca.pem"


def test_without_a_file_the_error_names_the_key_alone():
    with pytest.raises(SettingsError, match=r"settings: 'device' is missing: write \[device\]"):
        read_settings(Whole, None)
